import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { city } from '../data/city';
import { type History, history, hours } from '../data/lamp';
import { figure, percent, watts } from '../format';
import { language, words } from '../i18n';
import { colour, themeRevision } from '../theme';

const HEIGHT_PX = 170;
const SPANS = [2, 6, 24];

export function Chart({ device }: { device: string }) {
  const t = words.value;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);

  useSignalEffect(() => {
    void [themeRevision.value, language.value, city.value.zone];
    const shown = history.value;
    plot.current?.destroy();
    plot.current = null;
    if (box.current && shown && shown.time_ms.length > 0) plot.current = draw(box.current, shown);
  });

  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  return (
    <section class="chart" aria-label={t.chart}>
      <h3>
        <span class="key level">{t.level} %</span>
        <span class="key power">{t.powerColumn} W</span>
        <select
          aria-label={t.chartHours('')}
          value={hours.value}
          onChange={(event) => {
            hours.value = Number(event.currentTarget.value);
          }}
        >
          {SPANS.map((span) => (
            <option key={span} value={span}>
              {t.chartHours(figure(span))}
            </option>
          ))}
        </select>
      </h3>
      <div ref={box} class="plot" role="img" aria-label={`${t.chartLabel(device)}. ${summary(history.value)}`} />
      {history.value?.time_ms.length === 0 && <p class="empty">{t.chartEmpty}</p>}
    </section>
  );
}

// The curve in words, for who cannot see it.
function summary(shown: History | null): string {
  const last = (name: string): number | null | undefined => shown?.values[name]?.findLast((value) => value !== null);
  return `${words.value.level} ${percent(last('level_percent'))}, ${words.value.powerColumn} ${watts(last('power_w'))}`;
}

function draw(box: HTMLElement, shown: History): uPlot {
  const [ink, rule, level, power] = ['--ink-2', '--rule', '--chart-level', '--chart-power'].map(colour) as [
    string,
    string,
    string,
    string,
  ];
  const hour = new Intl.DateTimeFormat(language.value, {
    timeZone: city.value.zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const axis = { stroke: ink, font: '11px system-ui', ticks: { show: false }, grid: { stroke: rule, width: 1 } };
  const points = { show: false };
  const most = Math.max(10, ...(shown.values.power_w ?? []).map((value) => value ?? 0));
  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 } },
      scales: { x: { time: true, range: [shown.startMs / 1000, shown.endMs / 1000] }, percent: { range: [0, 100] }, watt: { range: [0, most * 1.1] } },
      axes: [
        { ...axis, space: 56, size: 26, values: (_, splits) => splits.map((second) => hour.format(second * 1000)) },
        { ...axis, scale: 'percent', size: 34, splits: [0, 25, 50, 75, 100] },
        { ...axis, scale: 'watt', side: 1, size: 40, grid: { show: false }, space: 32 },
      ],
      series: [
        {},
        { scale: 'percent', stroke: level, width: 2, points, paths: uPlot.paths.stepped?.({ align: 1 }) as uPlot.Series.PathBuilder },
        { scale: 'watt', stroke: power, width: 1.5, points, dash: [5, 3] },
      ],
    },
    [shown.time_ms.map((ms) => ms / 1000), shown.values.level_percent ?? [], shown.values.power_w ?? []],
    box,
  );
}
