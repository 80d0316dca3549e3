import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { go, incident } from '../data/address';
import { Refused } from '../data/api';
import { type Act, act, detail, type Evidence, explanation, type Incident, said } from '../data/incidents';
import { select } from '../data/selection';
import { mayCommand } from '../data/session';
import { figure, fullTime, percent, quantity } from '../format';
import { words } from '../i18n';
import { pageWords } from '../i18n/pages';
import { Due, elementText, stateText } from './incidents';
import { Severity } from './severity';

const close = (): void => {
  incident.value = '';
};

export function IncidentDetail() {
  const t = words.value;
  const one = detail.value;
  useEffect(() => {
    const escape = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') close();
    };
    addEventListener('keydown', escape);
    return () => removeEventListener('keydown', escape);
  }, []);
  return (
    <div class="drawer">
      <header class="drawer-head">
        <div>
          <h2>{one ? said(one.name) : t.loading}</h2>
          {one && (
            <p class="sub">
              <Severity severity={one.severity} />
              <span data-testid="state">{stateText(one.state)}</span>
              <span>{elementText(one)}</span>
            </p>
          )}
        </div>
        <button type="button" class="tool" aria-label={t.close} title={t.close} onClick={close}>
          ✕
        </button>
      </header>
      {one && <Body key={one.id} one={one} />}
    </div>
  );
}

function Body({ one }: { one: Incident }) {
  const t = pageWords.value;
  return (
    <>
      <Summary one={one} />
      <Actions one={one} />
      <section aria-label={t.explanation}>
        <h3>{t.explanation}</h3>
        {explanation.value.map((line) => (
          <p key={line}>{line}</p>
        ))}
      </section>
      <EvidenceTable lines={one.evidence} />
      {one.alternatives.length > 1 && <Alternatives one={one} />}
      {one.trials.length > 0 && (
        <section>
          <h3>{t.tests}</h3>
          {one.trials.map((trial) => (
            <p key={trial.time_ms}>
              <span class="numbers">{fullTime(trial.time_ms)}</span> {trial.text || trial.state}
            </p>
          ))}
        </section>
      )}
    </>
  );
}

function Summary({ one }: { one: Incident }) {
  const t = pageWords.value;
  return (
    <>
      {one.element.kind === 'lamp' && (
        <button
          type="button"
          class="plain"
          onClick={() => {
            select([one.element.id]);
            go('street');
          }}
        >
          {t.showLamp}
        </button>
      )}
      <dl class="facts first">
        <Fact name={t.due}>
          {one.due_ms !== null && <span>{fullTime(one.due_ms)} · </span>}
          <Due one={one} />
        </Fact>
        <Fact name={t.colConfidence}>{percent(one.confidence * 100)}</Fact>
        <Fact name={t.since}>{fullTime(one.onset_ms)}</Fact>
        <Fact name={t.raised}>{fullTime(one.raised_ms)}</Fact>
        <Fact name={t.trip}>{one.trip_ms === null ? t.tripNotYet : fullTime(one.trip_ms)}</Fact>
        {one.members > 0 && <Fact name={t.members}>{t.membersValue(figure(one.members))}</Fact>}
        {said(one.action) && <Fact name={t.action}>{said(one.action)}</Fact>}
        {said(one.part) && <Fact name={t.part}>{said(one.part)}</Fact>}
        {one.settle && <Fact name={t.settle}>{said(one.settle)}</Fact>}
        {one.acknowledged_by && <Fact name={t.acknowledgedBy}>{one.acknowledged_by.replace('token:', '')}</Fact>}
        {one.shelved_until_ms !== null && <Fact name={t.shelvedUntil}>{fullTime(one.shelved_until_ms)}</Fact>}
        {one.order && <Fact name={t.order}>{one.order}</Fact>}
        {one.isolation && <Fact name={t.isolation}>{`${one.isolation.circuits.join(', ')}: ${one.isolation.text}`}</Fact>}
        {one.note && <Fact name={t.note}>{one.note}</Fact>}
      </dl>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Actions({ one }: { one: Incident }) {
  const t = pageWords.value;
  const reason = useSignal('');
  const busy = useSignal(false);
  const sure = useSignal(false);
  const trouble = useSignal('');
  const run = async (what: Act): Promise<void> => {
    if (busy.value) return; // the button stays focusable meanwhile, so that the keyboard is not lost
    busy.value = true;
    trouble.value = '';
    try {
      await act(one.id, what, reason.value.trim() || t.reasonDefault);
      sure.value = false;
    } catch (error) {
      trouble.value = error instanceof Refused ? error.message : words.value.errNetwork;
    } finally {
      busy.value = false;
    }
  };
  if (one.state === 'closed') return null;
  if (!mayCommand()) return <p class="hint">{t.noRight}</p>;
  return (
    <section class="control" aria-label={t.actions}>
      <label class="reason">
        {t.reason}
        <input
          type="text"
          maxLength={200}
          placeholder={t.reasonDefault}
          value={reason.value}
          onInput={(event) => {
            reason.value = event.currentTarget.value;
          }}
        />
      </label>
      {sure.value ? (
        <div class="confirm" role="alertdialog" aria-label={t.close}>
          <p>{t.closeSure}</p>
          <button type="button" class="primary" ref={(button) => button?.focus()} onClick={() => void run('close')}>
            {t.closeYes}
          </button>
          <button
            type="button"
            onClick={() => {
              sure.value = false;
            }}
          >
            {t.cancel}
          </button>
        </div>
      ) : (
        <div class="acts">
          {one.state === 'raised' && (
            <button type="button" class="primary" aria-disabled={busy.value} onClick={() => void run('acknowledge')}>
              {t.acknowledge}
            </button>
          )}
          <button
            type="button"
            onClick={() => {
              sure.value = true;
            }}
          >
            {t.close}
          </button>
          {one.testable && (
            <button type="button" aria-disabled={busy.value} aria-describedby="test-hint" onClick={() => void run('test')}>
              {t.approveTest}
            </button>
          )}
        </div>
      )}
      {one.testable && (
        <p class="hint" id="test-hint">
          {t.testHint}
        </p>
      )}
      <p role="alert" class="refusal">
        {trouble.value}
      </p>
    </section>
  );
}

function EvidenceTable({ lines }: { lines: Evidence[] }) {
  const t = pageWords.value;
  return (
    <section>
      <h3>{t.evidence}</h3>
      {lines.length === 0 ? (
        <p class="empty">{t.noEvidence}</p>
      ) : (
        <table class="small-table">
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">{t.evidence}</span>
              </th>
              <th scope="col" class="number">
                {t.measured}
              </th>
              <th scope="col" class="number">
                {t.expected}
              </th>
              <th scope="col" class="number">
                {t.samples}
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.name}>
                <th scope="row">{said(line.words)}</th>
                <td class="number">{quantity(line.value, line.unit, 'short')}</td>
                <td class="number">
                  {quantity(line.expected, line.unit, 'short')}
                  {line.sigma !== null && <small>{` ± ${figure(line.sigma, 'short')}`}</small>}
                </td>
                <td class="number">{figure(line.samples)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Alternatives({ one }: { one: Incident }) {
  return (
    <section>
      <h3>{pageWords.value.alternatives}</h3>
      <ul class="shares">
        {one.alternatives.map((other) => (
          <li key={other.class}>
            <span>{said(other.name)}</span>
            <span class="bar" aria-hidden="true">
              <span style={{ width: `${other.probability * 100}%` }} />
            </span>
            <span class="number">{percent(other.probability * 100)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
