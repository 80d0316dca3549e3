import { city } from '../data/city';
import { type CommandState, isFinal, type Request, type Summary } from '../data/commands';
import { figure, percent, secondsTime } from '../format';
import { words } from '../i18n';

const WAY: CommandState[] = ['sent', 'accepted', 'applied', 'verified'];
const ORDER: CommandState[] = ['created', ...WAY];

export function stateText(state: CommandState): string {
  const t = words.value;
  return {
    created: t.stepCreated,
    sent: t.stepSent,
    accepted: t.stepAccepted,
    applied: t.stepApplied,
    verified: t.stepVerified,
    rejected: t.stRejected,
    failed: t.stFailed,
    expired: t.stExpired,
    superseded: t.stSuperseded,
    unconfirmed: t.stUnconfirmed,
  }[state];
}

export function operationText({ op, args }: Pick<Summary, 'op' | 'args'>): string {
  const t = words.value;
  if (op === 'light.set') return t.opSet(percent(args.level_percent as number));
  if (op === 'light.resume') return t.opResume;
  if (op === 'light.identify') return t.opIdentify;
  return t.opOther(op);
}

export function reasonText(reason: string): string {
  const t = words.value;
  const known: Record<string, string> = {
    signature: t.reasonSignature,
    key: t.reasonKey,
    expired: t.reasonExpired,
    sequence: t.reasonSequence,
    replayed: t.reasonReplayed,
    locked: t.reasonLocked,
    isolated: t.reasonIsolated,
    clock: t.reasonClock,
    argument: t.reasonArgument,
    'unknown-device': t.reasonUnknownDevice,
    operation: t.reasonOperation,
    superseded: t.reasonSuperseded,
    timeout: t.reasonTimeout,
    'no answer': t.reasonSilent,
  };
  return known[reason] ?? reason;
}

// Some devices did it and some did not.
export const isMixed = ({ state, states }: Pick<Summary, 'state' | 'states'>): boolean =>
  isFinal(state) && state !== 'verified' && (states.verified ?? 0) > 0;

export function outcomeText(request: Summary): string {
  return isMixed(request) ? countsText(request) : stateText(request.state);
}

function countsText({ states }: Pick<Summary, 'states'>): string {
  const t = words.value;
  const count: Partial<Record<CommandState, (n: string) => string>> = {
    verified: t.nVerified,
    unconfirmed: t.nUnconfirmed,
    failed: t.nFailed,
    rejected: t.nRejected,
    expired: t.nExpired,
    superseded: t.nSuperseded,
  };
  return Object.entries(count)
    .filter(([state]) => states[state as CommandState])
    .map(([state, text]) => text(figure(states[state as CommandState] as number)))
    .join(' · ');
}

// How far a command has come: each step with its time, a final refusal in words.
export function Progress({ request }: { request: Request }) {
  const t = words.value;
  const reached = ORDER.indexOf(request.state);
  const bad = isFinal(request.state) && request.state !== 'verified';
  const mixed = isMixed(request);
  const times = new Map(request.steps.map((step) => [step.state, step.time_ms]));
  return (
    <section class={`progress ${mixed ? 'mixed' : bad ? 'bad' : request.state}`} aria-label={t.command} data-state={request.state}>
      <h3>
        {operationText(request)}
        <span class="numbers">
          {request.total > 1 && t.devicesDone(figure(finished(request)), figure(request.total))}
          {city.value.rate !== 1 && <small> {t.realTime}</small>}
        </span>
      </h3>
      <ol aria-live="polite">
        {WAY.map((state, step) => {
          const time = times.get(state);
          const passed = mixed || (!bad && reached > step);
          const done = time !== undefined || state === request.state;
          return (
            <li key={state} class={done ? 'done' : !bad && reached === step ? 'next' : ''}>
              <span class="dot" aria-hidden="true">
                {done ? '✓' : ''}
              </span>
              <span>{stateText(state)}</span>
              <span class="numbers">
                {time !== undefined ? secondsTime(time) : passed && !done ? t.unrecorded : done || bad ? '' : t.waiting}
              </span>
            </li>
          );
        })}
        {bad && (
          <li class="end">
            <span class="dot" aria-hidden="true">
              !
            </span>
            <span>{outcomeText(request)}</span>
          </li>
        )}
      </ol>
      <Reasons request={request} />
    </section>
  );
}

const finished = ({ states }: Request): number =>
  Object.entries(states).reduce((sum, [state, count]) => sum + (isFinal(state as CommandState) ? count : 0), 0);

const MOST_REASONS = 4;

// Refused and failed parts, gathered by reason.
function Reasons({ request }: { request: Request }) {
  const groups = new Map<string, string[]>();
  for (const part of request.devices) {
    if (!isFinal(part.state) || part.state === 'verified') continue;
    const key = part.reason ? words.value.withReason(stateText(part.state), reasonText(part.reason)) : stateText(part.state);
    groups.set(key, [...(groups.get(key) ?? []), part.device]);
  }
  if (groups.size === 0) return null;
  return (
    <ul class="reasons">
      {[...groups].slice(0, MOST_REASONS).map(([reason, devices]) => (
        <li key={reason}>
          {reason}
          <small>
            {devices.slice(0, 3).join(', ')}
            {devices.length > 3 && ` +${figure(devices.length - 3)}`}
          </small>
        </li>
      ))}
    </ul>
  );
}
