import type { ComponentChildren } from 'preact';
import { recent } from '../data/commands';
import { filter, NO_FILTER } from '../data/selection';
import { alarms, deadLetters, type Gateway, gateways } from '../data/system';
import { clockTime, figure, secondsTime } from '../format';
import { words } from '../i18n';
import { operationText, stateText } from './progress';

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
      <Section title={t.alarms} count={alarms.value.length} alert={alarms.value.length > 0}>
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

function Section({ title, count, alert, children }: { title: string; count: number; alert?: boolean; children: ComponentChildren }) {
  return (
    <section class="panel">
      <h3>
        {title}
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
    <Section title={t.deadLetters} count={total} alert={total > 0}>
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

function Commands() {
  const t = words.value;
  return (
    <Section title={t.commands} count={recent.value.length}>
      {recent.value.length === 0 && <p class="empty">{t.noCommands}</p>}
      <ul class="lines commands">
        {recent.value.map((request) => (
          <li key={request.request} class={request.state}>
            <span>
              <b>{operationText(request)}</b> {t.found(figure(request.total))}
            </span>
            <small class="numbers">{secondsTime(request.created_ms)}</small>
            <small class="outcome">
              {stateText(request.state)} · {t.byWhom(request.by.replace('token:', ''))}
            </small>
          </li>
        ))}
      </ul>
    </Section>
  );
}
