import type { ComponentChildren } from 'preact';
import { city } from '../data/city';
import { follow, following, recent } from '../data/commands';
import { lamps } from '../data/fleet';
import { filter, NO_FILTER, select } from '../data/selection';
import { alarms, deadLetters, type Gateway, gateways } from '../data/system';
import { clockTime, figure, secondsTime } from '../format';
import { words } from '../i18n';
import { isMixed, operationText, outcomeText } from './progress';

export function Overview() {
  const t = words.value;
  return (
    <div class="overview">
      <h2 class="visually-hidden">{t.overview}</h2>
      <Section title={t.gateways} count={gateways.value.length}>
        {gateways.value.length === 0 && <p class="empty">{t.noGateways}</p>}
        <ul class="gateways">
          {gateways.value.map((gateway) => (
            <GatewayCard key={gateway.gateway} gateway={gateway} />
          ))}
        </ul>
      </Section>
      <Section title={t.alarms} count={alarms.value.length} alert={alarms.value.length > 0} timed>
        {alarms.value.length === 0 && <p class="empty">{t.noAlarms}</p>}
        <ul class="lines">
          {alarms.value.map((alarm) => (
            <li key={alarm.key}>
              <span class="warning" aria-hidden="true">
                ▲
              </span>
              <span>{alarm.text}</span>
              <small class="numbers">{t.since(clockTime(alarm.time_ms))}</small>
            </li>
          ))}
        </ul>
      </Section>
      <DeadLetters />
      <Commands />
    </div>
  );
}

interface SectionProps {
  title: string;
  count: number;
  alert?: boolean;
  timed?: boolean; // its times are real ones, which is worth a word where the city's run faster
  children: ComponentChildren;
}

function Section({ title, count, alert, timed, children }: SectionProps) {
  return (
    <section class="panel">
      <h3>
        <span>
          {title}
          {timed && count > 0 && city.value.rate !== 1 && <small class="clock-kind"> {words.value.realTime}</small>}
        </span>
        <span class={`badge ${alert ? 'alert' : ''}`}>{figure(count)}</span>
      </h3>
      {children}
    </section>
  );
}

function GatewayCard({ gateway }: { gateway: Gateway }) {
  const t = words.value;
  const { health } = gateway;
  const up = health?.buses.filter((bus) => bus.connected).length ?? 0;
  const silent = health?.buses.reduce((sum, bus) => sum + (bus.silent ?? 0), 0) ?? 0;
  const presence = gateway.online === null ? 'unknown' : gateway.online ? 'online' : 'offline';
  const text = { unknown: t.unknown, online: t.gatewayOnline, offline: t.gatewayOffline }[presence];
  return (
    <li>
      <button
        type="button"
        class="gateway"
        onClick={() => {
          filter.value = { ...NO_FILTER, gateway: gateway.gateway };
        }}
      >
        <span class={`presence ${presence}`} aria-hidden="true" />
        <b>{gateway.gateway}</b>
        <span class="presence-text">{gateway.enrolled ? text : t.notEnrolled}</span>
        <small class="numbers">
          {t.gatewayDevices(figure(gateway.devices))}
          {health && ` · ${t.buses(figure(up), figure(health.buses.length))}`}
          {health && ` · ${t.spoolWaiting(figure(health.spool.waiting))}`}
          {silent > 0 && ` · ${t.silent(figure(silent))}`}
        </small>
      </button>
    </li>
  );
}

function DeadLetters() {
  const t = words.value;
  const { items, total } = deadLetters.value;
  return (
    <Section title={t.deadLetters} count={total} alert={total > 0} timed>
      {total === 0 && <p class="empty">{t.noDeadLetters}</p>}
      <ul class="lines">
        {items.slice(0, 5).map((letter) => (
          <li key={letter.id}>
            <span class="warning" aria-hidden="true">
              ▲
            </span>
            <span>
              {letter.gateway}: {letter.detail || letter.reason}
            </span>
            <small class="numbers">{clockTime(letter.time_ms)}</small>
          </li>
        ))}
      </ul>
      {total > 5 && <p class="hint">{t.more(figure(total - 5))}</p>}
    </Section>
  );
}

// Shows the lamps of a request and how far it has come.
async function open(id: string): Promise<void> {
  try {
    await follow(id);
  } catch {
    return; // the banner tells of a lost server
  }
  select((following.value?.devices ?? []).map((part) => part.device).filter((device) => lamps.value.rows.has(device)));
}

function Commands() {
  const t = words.value;
  return (
    <Section title={t.commands} count={recent.value.length} timed>
      {recent.value.length === 0 && <p class="empty">{t.noCommands}</p>}
      <ul class="lines commands">
        {recent.value.map((request) => (
          <li key={request.request} class={isMixed(request) ? 'mixed' : request.state}>
            <button type="button" onClick={() => void open(request.request)}>
              <span>
                <b>{operationText(request)}</b> {request.device ?? t.found(figure(request.total))}
              </span>
              <small class="numbers">{secondsTime(request.created_ms)}</small>
              <small class="outcome">
                {outcomeText(request)} · {t.byWhom(request.by.replace('token:', ''))}
              </small>
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}
