import { useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { city, tick } from '../data/city';
import { recent } from '../data/commands';
import {
  type Plan,
  plans,
  type Running,
  readOverrides,
  readPlans,
  readRates,
  readRoad,
  readRoads,
  road,
  versions,
} from '../data/lighting';
import { link } from '../data/live';
import { figure, fullTime, shortDate } from '../format';
import { words } from '../i18n';
import { pageWords } from '../i18n/pages';
import { OverridesPanel } from './overrides';
import './pages.css';
import { Panel } from './panel';
import { RatesPanel } from './rates';
import { RoadPanel } from './road';

const PERIOD_S = 15;

const quietly = (...works: Promise<void>[]): void => {
  for (const work of works) work.catch(() => undefined); // the banner tells of a lost server; it is read again soon
};

export function Plans() {
  useSignalEffect(() => {
    if (link.value === 'up') quietly(readPlans(), readRoads(), readRates(), readOverrides());
  });
  useSignalEffect(() => {
    void road.value;
    if (link.value === 'up') quietly(readRoad());
  });
  useSignalEffect(() => {
    void recent.value; // a level by hand comes and goes with a command
    if (link.value === 'up') quietly(readOverrides(), readRoad());
  });
  useEffect(() => {
    let seconds = 0;
    return tick.subscribe(() => {
      seconds += 1;
      if (seconds % PERIOD_S === 0 && link.peek() === 'up') quietly(readPlans(), readRates(), readOverrides());
    });
  }, []);
  return (
    <div class="board">
      <h2 class="visually-hidden">{pageWords.value.plans}</h2>
      <div>
        <RoadPanel />
        <RatesPanel />
      </div>
      <div>
        <OverridesPanel />
        <Versions />
        <AllPlans />
      </div>
    </div>
  );
}

// Times of plans are real ones, which is worth a word where the city's run faster.
const clockNote = (): string => (city.value.rate === 1 ? '' : words.value.realTime);

function Versions() {
  const t = pageWords.value;
  const given = versions.value;
  if (!given) return <Panel title={t.versions}>{words.value.loading}</Panel>;
  const newest = Math.max(0, ...given.map((one) => one.plan));
  const some = given.filter((one) => one.plan === newest).length;
  const all = given.length;
  const onTrial = some < all;
  return (
    <Panel title={t.versions} note={clockNote()}>
      {given.length === 0 ? (
        <p class="empty">{t.noVersions}</p>
      ) : (
        <>
          <p>{onTrial ? t.canary(figure(newest), figure(some), figure(all)) : t.rolledOut(figure(newest), figure(all))}</p>
          <table class="small-table">
            <thead>
              <tr>
                <th scope="col">{t.gateway}</th>
                <th scope="col">{t.plan}</th>
                <th scope="col" class="number">
                  {t.version}
                </th>
                <th scope="col" class="wide-only">
                  {t.published}
                </th>
                <th scope="col">{t.state}</th>
              </tr>
            </thead>
            <tbody>
              {given.map((one) => (
                <VersionRow key={one.gateway} one={one} trial={onTrial && one.plan === newest} />
              ))}
            </tbody>
          </table>
        </>
      )}
    </Panel>
  );
}

function VersionRow({ one, trial }: { one: Running; trial: boolean }) {
  const t = pageWords.value;
  return (
    <tr>
      <th scope="row">{one.gateway}</th>
      <td>
        {figure(one.plan)} {trial && <span class="badge alert">{t.trial}</span>}
      </td>
      <td class="number">{figure(one.version)}</td>
      <td class="wide-only numbers">{shortDate(one.published_ms)}</td>
      <td class={one.running ? 'good' : 'differs'}>
        <span aria-hidden="true">{one.running ? '✓ ' : '▲ '}</span>
        {one.running ? t.running : t.notYet(figure(one.told_version))}
      </td>
    </tr>
  );
}

function AllPlans() {
  const t = pageWords.value;
  const found = plans.value;
  return (
    <Panel title={t.allPlans} note={clockNote()}>
      {!found && words.value.loading}
      {found?.length === 0 && <p class="empty">{t.noPlans}</p>}
      <ul class="lines plan-list">
        {found?.map((one) => (
          <li key={one.number}>
            <b>
              {t.plan} {figure(one.number)}
            </b>
            <span>
              <span class={`badge ${one.state}`}>{stateText(one)}</span> {one.reason}
            </span>
            <small>
              {[fullTime(one.created_ms), t.byWhom(one.author.replace('token:', '')), findings(one), approvedBy(one)]
                .filter(Boolean)
                .join(' · ')}
            </small>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function stateText({ state }: Plan): string {
  const t = pageWords.value;
  return { draft: t.planDraft, validated: t.planValidated, published: t.planPublished }[state];
}

function findings({ problems }: Plan): string {
  const t = pageWords.value;
  if (problems.length === 0) return t.noProblems;
  const errors = problems.filter((one) => one.severity === 'error').length;
  return t.problems(figure(errors), figure(problems.length - errors));
}

function approvedBy({ approvals }: Plan): string {
  return approvals.length ? pageWords.value.approvals(approvals.map((who) => who.replace('token:', '')).join(', ')) : '';
}
