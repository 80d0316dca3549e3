import { type Cell, type Truck, trucks } from '../data/trucks';
import { ago, DASH, figure, quantity } from '../format';
import { words } from '../i18n';
import { pageWords } from '../i18n/pages';
import { Panel } from './panel';

const ONLINE_S = 60;

const isOnline = ({ age_s }: Truck): boolean => age_s !== null && age_s < ONLINE_S;

export function TruckTable() {
  const t = pageWords.value;
  const all = trucks.value ?? [];
  const note = t.trucksOnline(figure(all.filter(isOnline).length), figure(all.length));
  const heads: [string, string][] = [
    [t.plate, ''],
    [t.company, 'wide-only'],
    [t.doing, ''],
    [t.speed, 'number'],
    [t.load, 'wide-only'],
    [t.lift, 'wide-only'],
    [t.cover, 'wide-only'],
    [t.contact, ''],
  ];
  return (
    <Panel title={t.trucks} note={note}>
      <div class="scroll" tabIndex={0} role="region" aria-label={t.trucks}>
        <table class="small-table">
          <thead>
            <tr>
              {heads.map(([head, kind]) => (
                <th key={head} scope="col" class={kind}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <Row key={one.truck} one={one} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function Row({ one }: { one: Truck }) {
  const t = pageWords.value;
  const { speed_kmh: speed, load, lift, cover } = one.values;
  const online = isOnline(one);
  const equipment = [
    [t.load, load],
    [t.lift, lift],
    [t.cover, cover],
  ] as const;
  return (
    <tr>
      <th scope="row">
        {one.plate || one.truck}
        <small class="narrow-only">{one.company}</small>
      </th>
      <td class="wide-only">{one.company || DASH}</td>
      <td>
        {doing(one.trip)}
        <small class="narrow-only">{equipment.map(([name, cell]) => `${name} ${cellText(cell)}`).join(' · ')}</small>
      </td>
      <td class="number">{quantity(typeof speed === 'number' ? speed : null, 'km/h')}</td>
      {equipment.map(([name, cell]) => (
        <td key={name} class="wide-only">
          {cellText(cell)}
        </td>
      ))}
      <td class={online ? 'good' : 'hint'}>
        <span class="state">
          <span class={`presence ${online ? 'online' : ''}`} aria-hidden="true" />
          {contact(one, online)}
        </span>
      </td>
    </tr>
  );
}

function contact({ age_s }: Truck, online: boolean): string {
  const t = pageWords.value;
  if (age_s === null) return t.neverHeard;
  return online ? t.heard(ago(age_s)) : t.silent(ago(age_s));
}

function doing(trip: string): string {
  const t = pageWords.value;
  const known: Record<string, string> = {
    unknown: t.doUnknown,
    empty_run: t.doEmptyRun,
    loading: t.doLoading,
    loaded_run: t.doLoadedRun,
    queue: t.doQueue,
    dump: t.doDump,
    park: t.doPark,
    service: t.doService,
  };
  return known[trip] ?? trip;
}

function cellText(cell: Cell | undefined): string {
  const t = pageWords.value;
  if (cell === undefined || cell === null) return words.value.unknown;
  const known: Record<string, string> = {
    flat: t.wordFlat,
    raised: t.wordRaised,
    closed: t.wordClosed,
    open: t.wordOpen,
    empty: t.wordEmpty,
    half: t.wordHalf,
    full: t.wordFull,
    fault: t.wordFault,
    unknown: t.wordUnknown,
  };
  return known[String(cell)] ?? String(cell);
}
