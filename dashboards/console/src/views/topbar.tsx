import type { ComponentChildren } from 'preact';
import { city, cityName, civilNow, tick } from '../data/city';
import { lamps, totals } from '../data/fleet';
import { lastDataMs, link } from '../data/live';
import { day, figure, secondsTime } from '../format';
import { switchLanguage, words } from '../i18n';
import { nextTheme, theme } from '../theme';

export function TopBar() {
  const t = words.value;
  return (
    <header class="topbar">
      <a class="skip" href="#main">
        {t.skip}
      </a>
      <div class="brand">
        <img src="/icon.svg" alt="" width="28" height="28" />
        <div>
          <h1>{cityName.value}</h1>
          <p>{t.app}</p>
        </div>
      </div>
      <CivilClock />
      <Figures />
      <div class="switches">
        <button type="button" class="quiet" lang={t.otherLanguage === 'English' ? 'en' : 'zh-CN'} onClick={switchLanguage}>
          {t.otherLanguage}
        </button>
        <button type="button" class="quiet" onClick={nextTheme}>
          <span aria-hidden="true">{{ auto: '◐', light: '○', dark: '●' }[theme.value]}</span>
          <span class="visually-hidden">{t.theme}</span>{' '}
          {{ auto: t.themeAuto, light: t.themeLight, dark: t.themeDark }[theme.value]}
        </button>
      </div>
    </header>
  );
}

function CivilClock() {
  void tick.value;
  const t = words.value;
  const now = civilNow();
  const { rate } = city.value;
  if (Number.isNaN(now)) return <div class="clock" />;
  return (
    <div class="clock">
      <time aria-label={t.civilTime}>{secondsTime(now)}</time>
      <p>
        {day(now)}
        {rate !== 1 && <span class="rate">{t.rate(figure(rate, 'short'))}</span>}
      </p>
    </div>
  );
}

function Figures() {
  const t = words.value;
  const { total, count, powerW } = totals.value;
  const known = total - count[0];
  return (
    <dl class="figures">
      <Figure name={t.lit} note={t.ofTotal(figure(total))} testid="lit">
        {figure(count[2])}
      </Figure>
      <Figure name={t.online} note={count[0] ? t.unknownCount(figure(count[0])) : t.ofTotal(figure(total))}>
        {total ? `${figure((100 * known) / total, 'one')}%` : '–'}
      </Figure>
      <Figure name={t.power} note="kW">
        {known ? figure(powerW / 1000, 'one') : '–'}
      </Figure>
      <DataAge />
    </dl>
  );
}

function Figure({ name, note, testid, children }: { name: string; note: string; testid?: string; children: ComponentChildren }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        <b data-testid={testid}>{children}</b> <small>{note}</small>
      </dd>
    </div>
  );
}

const HEARTBEAT_S = 900; // a lamp reports at least this often, changed or not
const LATE_S = 5;
const OLD_S = 30;

// Of a few lamps nothing may be heard for minutes while all is well.
function freshness(seconds: number): '' | 'late' | 'old' {
  const usualGapS = HEARTBEAT_S / Math.max(1, lamps.value.ids.length);
  if (link.value === 'lost' || seconds > Math.max(OLD_S, 6 * usualGapS)) return 'old';
  return seconds > Math.max(LATE_S, 3 * usualGapS) ? 'late' : '';
}

function DataAge() {
  void tick.value;
  const t = words.value;
  const seconds = Math.max(0, Math.round((performance.now() - lastDataMs.value) / 1000));
  return (
    <div class={`figure age ${freshness(seconds)}`} data-testid="age">
      <dt>{t.dataAge}</dt>
      <dd>
        <span class="pulse" aria-hidden="true" />
        <b class="small">{Number.isNaN(seconds) ? t.dataNone : t.dataAgeValue(figure(seconds))}</b>
      </dd>
    </div>
  );
}
