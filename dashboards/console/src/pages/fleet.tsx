import { useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { civilNow, tick } from '../data/city';
import { link } from '../data/live';
import { type Limit, limits, readFleet, supervised, trucks, type Violation, violations } from '../data/trucks';
import { figure, percent, quantity, shortDate, span } from '../format';
import { words } from '../i18n';
import { pageWords } from '../i18n/pages';
import './pages.css';
import { Panel } from './panel';
import { TruckTable } from './trucks';

const PERIOD_S = 5;
const SHOWN = 12;

const read = (): void => {
  readFleet().catch(() => undefined); // the banner tells of a lost server; it is read again soon
};

export function Fleet() {
  const t = pageWords.value;
  useSignalEffect(() => {
    if (link.value === 'up') read();
  });
  useEffect(() => {
    let seconds = 0;
    return tick.subscribe(() => {
      seconds += 1;
      if (seconds % PERIOD_S === 0 && link.peek() === 'up' && supervised.peek()) read();
    });
  }, []);
  if (!supervised.value) return <p class="waiting">{t.noFleet}</p>;
  if (!trucks.value) return <p class="waiting">{words.value.loading}</p>;
  if (trucks.value.length === 0) return <p class="waiting">{t.noTrucks}</p>;
  return (
    <div class="board fleet">
      <h2 class="visually-hidden">{t.fleet}</h2>
      <div>
        <TruckTable />
      </div>
      <div>
        <Violations />
        <Limits />
      </div>
    </div>
  );
}

const plateOf = (truck: string): string => trucks.value?.find((one) => one.truck === truck)?.plate || truck;

function Violations() {
  const t = pageWords.value;
  const found = violations.value;
  const items = found?.items.slice(0, SHOWN) ?? [];
  return (
    <Panel title={t.violations} note={figure(found?.total ?? 0)}>
      {items.length === 0 && <p class="empty">{t.noViolations}</p>}
      <ul class="lines told">
        {items.map((one) => (
          <li key={one.id}>
            <span class="warning" aria-hidden="true">
              ▲
            </span>
            <span>
              <b>{violationName(one.class)}</b> {plateOf(one.truck)}
              <small>
                {[one.company, t.score(percent(Math.round(one.score * 100)))].filter(Boolean).join(' · ')}
              </small>
            </span>
            <small class="numbers">{lasted(one)}</small>
          </li>
        ))}
      </ul>
      {found && found.total > items.length && <p class="hint">{t.violationsMore(figure(found.total - items.length))}</p>}
    </Panel>
  );
}

function lasted({ first_ms, last_ms }: Violation): string {
  const began = shortDate(first_ms);
  return last_ms === null ? `${began} · ${pageWords.value.goingOn}` : `${began} · ${span(last_ms - first_ms)}`;
}

function Limits() {
  void tick.value;
  const t = pageWords.value;
  const items = limits.value?.items ?? [];
  return (
    <Panel title={t.limits} note={figure(limits.value?.total ?? 0)}>
      {items.length === 0 && <p class="empty">{t.noLimits}</p>}
      <ul class="lines told">
        {items.map((one) => (
          <li key={one.id}>
            <span aria-hidden="true">◆</span>
            <span>
              <b>{one.what === 'lift' ? t.limitLift : t.limitSpeed(quantity(one.limit_kmh, 'km/h'))}</b> {plateOf(one.truck)}
              <small>{[limitText(one), one.detail].filter(Boolean).join(' · ')}</small>
            </span>
            <small class="numbers">
              {one.until_ms === null
                ? t.limitEndUnknown
                : t.limitUntil(shortDate(one.until_ms), span(one.until_ms - civilNow()))}
            </small>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function limitText({ state }: Pick<Limit, 'state'>): string {
  const t = pageWords.value;
  const known: Partial<Record<Limit['state'], string>> = {
    waiting: t.lsWaiting,
    sent: t.lsSent,
    in_effect: t.lsInEffect,
    not_in_effect: t.lsNotInEffect,
    releasing: t.lsReleasing,
    outlived: t.lsOutlived,
    foreign: t.lsForeign,
  };
  return known[state] ?? state;
}

export function violationName(kind: string): string {
  const t = pageWords.value;
  const known: Record<string, string> = {
    overspeed: t.vcOverspeed,
    cover_open: t.vcCoverOpen,
    lift_in_motion: t.vcLiftInMotion,
    dump_outside: t.vcDumpOutside,
    missing_dump: t.vcMissingDump,
    off_route: t.vcOffRoute,
    no_go: t.vcNoGo,
    banned_hours: t.vcBannedHours,
    position_gap: t.vcPositionGap,
    position_jump: t.vcPositionJump,
    position_frozen: t.vcPositionFrozen,
    power_cut: t.vcPowerCut,
    antenna_fault: t.vcAntennaFault,
    sensor_contradiction: t.vcSensorContradiction,
    no_permit: t.vcNoPermit,
    permit_expired: t.vcPermitExpired,
    permit_suspended: t.vcPermitSuspended,
    outside_hours: t.vcOutsideHours,
    wrong_ground: t.vcWrongGround,
    offline_ignition: t.vcOfflineIgnition,
  };
  return known[kind] ?? kind;
}
