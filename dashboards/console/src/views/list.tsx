import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { realAgeS, tick } from '../data/city';
import { lamps, nameOf, revision, STATES } from '../data/fleet';
import { found, select, selected, toggle } from '../data/selection';
import { ago, percent, watts } from '../format';
import { words } from '../i18n';
import { StateText } from './legend';

const ROW_PX = 36;
const SPARE_ROWS = 8;

// A windowed table: only the rows in sight exist, and their places in the whole are told to assistive technology.
export function LampList() {
  const t = words.value;
  const box = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(600);
  const rows = found.value;

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      height.value = (entry as ResizeObserverEntry).contentRect.height;
    });
    observer.observe(box.current as HTMLDivElement);
    return () => observer.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top.value / ROW_PX) - SPARE_ROWS);
  const last = Math.min(rows.length, Math.ceil((top.value + height.value) / ROW_PX) + SPARE_ROWS);
  return (
    <div
      class="list"
      ref={box}
      tabIndex={0}
      role="region"
      aria-label={t.list}
      onScroll={(event) => {
        top.value = event.currentTarget.scrollTop;
      }}
    >
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th class="pick" scope="col">
              <span class="visually-hidden">{t.selection('')}</span>
            </th>
            <th scope="col" class="device">
              {t.device}
            </th>
            <th scope="col" class="wide-only street">
              {t.street}
            </th>
            <th scope="col">{t.state}</th>
            <th scope="col" class="number">
              {t.level}
            </th>
            <th scope="col" class="number">
              {t.powerColumn}
            </th>
            <th scope="col" class="number age">
              {t.age}
            </th>
            <th scope="col" class="wide-only">
              {t.gateway}
            </th>
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr class="space" style={{ height: `${first * ROW_PX}px` }} aria-hidden="true" />}
          {rows.slice(first, last).map((row, i) => (
            <LampRow key={lamps.value.ids[row]} row={row} index={first + i + 2} />
          ))}
          {last < rows.length && (
            <tr class="space" style={{ height: `${(rows.length - last) * ROW_PX}px` }} aria-hidden="true" />
          )}
        </tbody>
      </table>
      {rows.length === 0 && <p class="empty">{lamps.value.ids.length ? t.empty : t.emptyCity}</p>}
    </div>
  );
}

function LampRow({ row, index }: { row: number; index: number }) {
  void [revision.value, tick.value];
  const fleet = lamps.value;
  const id = fleet.ids[row] as string;
  const chosen = selected.value.has(id);
  return (
    <tr aria-rowindex={index} class={chosen ? 'chosen' : ''} onClick={() => select([id])}>
      <td class="pick">
        <input
          type="checkbox"
          aria-label={id}
          checked={chosen}
          onClick={(event) => event.stopPropagation()}
          onChange={() => toggle(id)}
        />
      </td>
      <td>
        <button type="button" class="link" onClick={() => select([id])}>
          {id}
        </button>
      </td>
      <td class="wide-only">{nameOf(fleet, row)}</td>
      <td>
        <StateText state={STATES[fleet.state[row] as 0]} />
      </td>
      <td class="number">{percent(fleet.level[row])}</td>
      <td class="number">{watts(fleet.power[row])}</td>
      <td class="number age">{ago(realAgeS(fleet.timeMs[row] as number))}</td>
      <td class="wide-only">{fleet.gateway[row]}</td>
    </tr>
  );
}
