import { useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { incident } from '../data/address';
import { civilNow, tick } from '../data/city';
import {
  detail,
  explanation,
  type Incident,
  type IncidentState,
  incidents,
  leastSeverity,
  listen,
  refreshDetail,
  refreshList,
  said,
  type Show,
  show,
} from '../data/incidents';
import { link } from '../data/live';
import { figure, percent, shortDate, span } from '../format';
import { language, words } from '../i18n';
import { pageWords } from '../i18n/pages';
import { IncidentDetail } from './incident';
import './pages.css';
import { SEVERITIES, Severity, severityName } from './severity';

const quietly = (work: Promise<void>): void => {
  work.catch(() => undefined); // the banner tells of a lost server; the next event reads again
};

export function Incidents() {
  useEffect(() => {
    listen(true);
    return () => listen(false);
  }, []);
  useSignalEffect(() => {
    void [show.value, leastSeverity.value];
    if (link.value === 'up') quietly(refreshList());
  });
  useSignalEffect(() => {
    void language.value;
    if (detail.peek()?.id !== incident.value) {
      detail.value = null;
      explanation.value = [];
    }
    if (link.value === 'up') quietly(refreshDetail());
  });
  const chosen = incident.value !== '';
  return (
    <>
      <Bar />
      <div class="stage">
        <div class="sight">
          <List />
        </div>
        <aside class={chosen ? 'open' : ''}>
          {chosen ? <IncidentDetail /> : <p class="waiting">{pageWords.value.choose}</p>}
        </aside>
      </div>
    </>
  );
}

function Bar() {
  const t = pageWords.value;
  const found = incidents.value;
  const shows: [Show, string][] = [
    ['open', t.showOpen],
    ['closed', t.showClosed],
  ];
  return (
    <div class="filters">
      <h2 class="visually-hidden">{t.incidents}</h2>
      <div class="segments" role="group" aria-label={t.show}>
        {shows.map(([name, text]) => (
          <button
            key={name}
            type="button"
            aria-pressed={show.value === name}
            onClick={() => {
              show.value = name;
            }}
          >
            {text}
          </button>
        ))}
      </div>
      <select
        aria-label={t.leastSeverity}
        value={leastSeverity.value}
        onChange={(event) => {
          leastSeverity.value = Number(event.currentTarget.value);
        }}
      >
        <option value={1}>{`${t.leastSeverity}: ${t.anySeverity}`}</option>
        {SEVERITIES.filter((one) => one > 1).map((one) => (
          <option key={one} value={one}>
            {one === 5 ? severityName(5) : t.severityFrom(severityName(one))}
          </option>
        ))}
      </select>
      <output class="count">{found && t.shownOf(figure(found.items.length), figure(found.total))}</output>
    </div>
  );
}

function List() {
  const t = pageWords.value;
  const found = incidents.value;
  if (!found) return <p class="waiting">{words.value.loading}</p>;
  if (found.items.length === 0) return <Nothing />;
  return (
    <div class="rows" tabIndex={0} role="region" aria-label={t.incidents}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t.colSeverity}</th>
            <th scope="col">{t.colWhat}</th>
            <th scope="col" class="wide-only">
              {t.colElement}
            </th>
            <th scope="col" class="wide-only number">
              {t.colConfidence}
            </th>
            <th scope="col" class="wide-only">
              {t.colSince}
            </th>
            <th scope="col">{t.colDue}</th>
            <th scope="col" class="wide-only">
              {t.colState}
            </th>
          </tr>
        </thead>
        <tbody>
          {found.items.map((one) => (
            <Row key={one.id} one={one} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Nothing() {
  const t = pageWords.value;
  const calm = show.value === 'open' && leastSeverity.value === 1;
  return (
    <div class="waiting">
      <p>{calm ? t.noIncidents : t.noneMatch}</p>
      {calm && <p>{t.noIncidentsHint}</p>}
    </div>
  );
}

function Row({ one }: { one: Incident }) {
  const chosen = incident.value === one.id;
  const open = (): void => {
    incident.value = one.id;
  };
  return (
    <tr class={chosen ? 'chosen' : ''} aria-current={chosen ? 'true' : undefined} onClick={open}>
      <td>
        <Severity severity={one.severity} />
      </td>
      <td>
        <button type="button" class="link" onClick={open}>
          {said(one.name)}
        </button>
        <small class="narrow-only">
          {elementText(one)} · {stateText(one.state)}
        </small>
      </td>
      <td class="wide-only">{elementText(one)}</td>
      <td class="wide-only number">{percent(one.confidence * 100)}</td>
      <td class="wide-only numbers">{shortDate(one.onset_ms)}</td>
      <td class="numbers">
        <Due one={one} />
      </td>
      <td class="wide-only">{stateText(one.state)}</td>
    </tr>
  );
}

export function Due({ one }: { one: Incident }) {
  void tick.value;
  const t = pageWords.value;
  if (one.state === 'closed' || one.state === 'cleared') return <span class="hint">{stateText(one.state)}</span>;
  if (one.due_ms === null) return <span class="hint">{t.noDue}</span>;
  const left = one.due_ms - civilNow();
  if (Number.isNaN(left)) return null;
  return left < 0 ? (
    <b class="over">
      <span aria-hidden="true">▲ </span>
      {t.overdueBy(span(-left))}
    </b>
  ) : (
    <span>{t.dueIn(span(left))}</span>
  );
}

export function elementText({ element }: Pick<Incident, 'element'>): string {
  const t = pageWords.value;
  const kinds: Record<string, string> = {
    city: t.kindCity,
    transformer: t.kindTransformer,
    cabinet: t.kindCabinet,
    phase: t.kindPhase,
    circuit: t.kindCircuit,
    feeder: t.kindFeeder,
    protector: t.kindProtector,
    pole: t.kindPole,
    lamp: t.kindLamp,
    gateway: t.kindGateway,
    model: t.kindModel,
  };
  return `${kinds[element.kind] ?? element.kind} ${element.id}`;
}

export function stateText(state: IncidentState): string {
  const t = pageWords.value;
  return {
    raised: t.stRaised,
    acknowledged: t.stAcknowledged,
    shelved: t.stShelved,
    in_work: t.stInWork,
    cleared: t.stCleared,
    closed: t.stClosed,
  }[state];
}
