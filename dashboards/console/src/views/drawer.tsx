import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { realAgeS, tick } from '../data/city';
import { following } from '../data/commands';
import { lamps, revision, STATES, type State, totalsOf } from '../data/fleet';
import { type Device, device } from '../data/lamp';
import { select, selected, selectedRows } from '../data/selection';
import { ago, DASH, figure, known, percent, quantity, watts } from '../format';
import { language, words } from '../i18n';
import { Chart } from './chart';
import { Control } from './control';
import { StateMark, StateText, stateName } from './legend';
import { Progress } from './progress';
import { Why } from './why';

export function Drawer() {
  const ids = [...selected.value];
  return ids.length === 1 ? <LampDrawer id={ids[0] as string} /> : <GroupDrawer />;
}

function Head({ title, children }: { title: string; children?: ComponentChildren }) {
  const t = words.value;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const close = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') select([]);
    };
    addEventListener('keydown', close);
    return () => removeEventListener('keydown', close);
  }, []);
  return (
    <header class="drawer-head">
      <div>
        <h2 ref={heading}>{title}</h2>
        {children}
      </div>
      <button type="button" class="tool" aria-label={t.close} title={t.close} onClick={() => select([])}>
        ✕
      </button>
    </header>
  );
}

function LampDrawer({ id }: { id: string }) {
  void [revision.value, tick.value];
  const fleet = lamps.value;
  const row = fleet.rows.get(id);
  const shown = device.value?.id === id ? device.value : null;
  const state: State = row === undefined ? 'unknown' : (STATES[fleet.state[row] as 0] ?? 'unknown');
  const name = shown?.name[language.value === 'en' ? 'en' : 'zh'];
  const request = following.value;
  return (
    <div class="drawer">
      <Head title={id}>
        <p class="sub">
          <StateText state={state} />
          {name && <span>{name}</span>}
          <span class="numbers">{row === undefined ? '' : ago(realAgeS(fleet.timeMs[row] as number))}</span>
        </p>
      </Head>
      <Readings shown={shown} level={row === undefined ? NaN : fleet.level[row]} power={row === undefined ? NaN : fleet.power[row]} />
      <Control />
      {request?.devices.some((part) => part.device === id) && <Progress request={request} />}
      {shown && <Why shown={shown} />}
      <Chart device={id} />
      {shown && <Facts shown={shown} />}
    </div>
  );
}

function Readings({ shown, level, power }: { shown: Device | null; level: number | undefined; power: number | undefined }) {
  const t = words.value;
  const values = shown?.values ?? {};
  return (
    <dl class="readings">
      <Reading name={t.level} value={percent(level)} strong />
      <Reading name={t.powerColumn} value={watts(power)} strong />
      <Reading name={t.voltage} value={quantity(values.voltage_v, 'V', 'one')} />
      <Reading name={t.current} value={quantity(values.current_a, 'A', 'two')} />
      <Reading name={t.temperature} value={quantity(values.temperature_c, '°C', 'one')} />
      <Reading name={t.powerFactor} value={quantity(values.power_factor, '', 'two').trim()} />
    </dl>
  );
}

function Reading({ name, value, strong }: { name: string; value: string; strong?: boolean }) {
  return (
    <div class={strong ? 'strong' : ''}>
      <dt>{name}</dt>
      <dd>
        {value === DASH ? (
          <>
            <span aria-hidden="true">{DASH}</span>
            <span class="visually-hidden">{words.value.unknown}</span>
          </>
        ) : (
          value
        )}
      </dd>
    </div>
  );
}

function Facts({ shown }: { shown: Device }) {
  const t = words.value;
  const bits: Record<string, string> = {
    stale: t.qualityStale,
    out_of_range: t.qualityRange,
    frozen: t.qualityFrozen,
    clock_untrusted: t.qualityClock,
    period_missed: t.qualityMissed,
  };
  const quality = shown.quality.map((bit) => bits[bit] ?? bit).join(', ') || t.qualityGood;
  return (
    <dl class="facts">
      <Fact name={t.quality}>{shown.time_ms ? quality : t.unknown}</Fact>
      <Fact name={t.energy}>{quantity(shown.values.energy_kwh, 'kWh', 'one')}</Fact>
      <Fact name={t.burning}>{quantity(shown.values.burning_h, 'h', 'one')}</Fact>
      <Fact name={t.gateway}>{shown.gateway ?? t.unknown}</Fact>
      <Fact name={t.profile}>{shown.profile}</Fact>
      <Fact name={t.address}>{shown.address}</Fact>
      {known(shown.latitude) && known(shown.longitude) && (
        <Fact name={t.position}>{`${shown.latitude.toFixed(5)}, ${shown.longitude.toFixed(5)}`}</Fact>
      )}
    </dl>
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

function GroupDrawer() {
  const t = words.value;
  void revision.value;
  const { total, count, powerW } = totalsOf(lamps.value, selectedRows.value);
  const request = following.value;
  const mine = request && request.total > 1 && request.devices.some((part) => selected.value.has(part.device));
  return (
    <div class="drawer">
      <Head title={t.selection(figure(total))}>
        <p class="sub">
          {STATES.map(
            (state, index) =>
              count[index as 0] > 0 && (
                <span key={state} class="state">
                  <StateMark state={state} />
                  {stateName(state)} {figure(count[index as 0])}
                </span>
              ),
          )}
          <span class="numbers">{watts(powerW)}</span>
        </p>
      </Head>
      <Control />
      {mine && <Progress request={request} />}
    </div>
  );
}
