import type { ComponentChildren } from 'preact';
import { type Decision, type Device, decision, night, type Winner } from '../data/lamp';
import { figure, fullTime, known, percent, shortDate } from '../format';
import { words } from '../i18n';
import { NightChart } from './night';

export function winnerName(winner: Winner): string {
  const t = words.value;
  return {
    emergency: t.winEmergency,
    override: t.winOverride,
    scene: t.winScene,
    adaptive: t.winAdaptive,
    program: t.winProgram,
    default: t.winDefault,
    own: t.winOwn,
    photocell: t.winPhotocell,
    'fail-safe': t.winFailSafe,
  }[winner];
}

const level = (value: number | null): string => (value === null ? words.value.winOwn : percent(Math.round(value)));

function sentence({ level_percent, why }: Decision): string {
  const t = words.value;
  const until = why.until_ms === null ? t.endsUnknown : shortDate(why.until_ms);
  const at = level(level_percent);
  switch (why.winner) {
    case 'emergency':
      return t.whyEmergency(at, until);
    case 'override':
      return t.whyOverride(at, until);
    case 'scene':
      return t.whyScene(why.source, at, until);
    case 'adaptive':
      return t.whyAdaptive(why.source, at, until);
    case 'program':
      return t.whyProgram(why.program, at, until);
    case 'default':
      return t.whyDefault(at);
    default:
      return t.whyOwn;
  }
}

// Who decides, by the centre's own working out, beside what the gateway reported; then the night it belongs to.
export function Why({ shown }: { shown: Device }) {
  const t = words.value;
  const decided = decision.value?.lamp === shown.id ? decision.value : null;
  const { desired_percent: desired, level_percent: actual } = shown.values;
  return (
    <section class="why">
      <h3>{t.why}</h3>
      {decided ? <Decided decided={decided} /> : <p class="hint">{t.loading}</p>}
      {known(desired) && known(actual) && Math.abs(desired - actual) > 2 && (
        <p class="differs">
          <span aria-hidden="true">▲ </span>
          {t.whyDiffers(percent(desired), percent(actual))}
        </p>
      )}
      {night.value?.lamp === shown.id && (
        <>
          <h3>{t.tonight}</h3>
          <NightChart what={shown.id} changes={night.value.changes} />
        </>
      )}
    </section>
  );
}

function Decided({ decided }: { decided: Decision }) {
  const t = words.value;
  const { why } = decided;
  const beaten = why.beat.map((one) =>
    one === 'program' && known(why.program_percent) ? `${winnerName(one)} (${percent(why.program_percent)})` : winnerName(one),
  );
  return (
    <>
      <p class="sentence">{sentence(decided)}</p>
      <dl class="facts">
        <Row name={t.winner}>{winnerName(why.winner)}</Row>
        <Row name={t.beat}>{beaten.join(' · ') || t.beatNone}</Row>
        <Row name={t.ends}>{why.until_ms === null ? t.endsUnknown : fullTime(why.until_ms)}</Row>
        <Row name={t.reportedBy}>
          <Reported decided={decided} />
        </Row>
        {decided.open_circuit && <Row name={t.openCircuit}>{t.openCircuitValue(decided.open_circuit)}</Row>}
        <Row name={t.planVersion}>{planText(decided)}</Row>
        {known(why.asked_percent) && (why.virtual_percent !== 100 || why.constant_percent !== 100) && (
          <Row name={t.scaled}>
            {t.scaledValue(percent(why.asked_percent), percent(why.virtual_percent), percent(why.constant_percent))}
          </Row>
        )}
        {why.unused.length > 0 && <Row name={t.unusedRules}>{why.unused.join(' · ')}</Row>}
      </dl>
    </>
  );
}

function planText({ plan_version: given, told_version: told }: Decision): string {
  const t = words.value;
  if (given === null) return t.planNone;
  return told === given ? t.planRunning(figure(given)) : t.planTold(figure(given), figure(told));
}

function Reported({ decided }: { decided: Decision }) {
  const t = words.value;
  const { reported_by: by, reported_desired_percent: desired, agrees } = decided;
  if (by === null && desired === null) return <>{t.reportedNone}</>;
  return (
    <>
      {by === null ? level(desired) : t.reported(winnerName(by), level(desired))}
      {agrees !== null && (
        <span class={agrees ? 'agrees' : 'differs'}>
          <span aria-hidden="true">{agrees ? ' ✓ ' : ' ▲ '}</span>
          {agrees ? t.agrees : t.differs}
        </span>
      )}
    </>
  );
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
