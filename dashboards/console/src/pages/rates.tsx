import { type Rate, type Rates, rates } from '../data/lighting';
import { day, figure, quantity } from '../format';
import { words } from '../i18n';
import { pageWords } from '../i18n/pages';
import { Panel } from './panel';

export function className(road_class: string): string {
  const t = pageWords.value;
  const names: Record<string, string> = {
    expressway: t.classExpressway,
    main: t.classMain,
    secondary: t.classSecondary,
    branch: t.classBranch,
    alley: t.classAlley,
    '': t.classUnknown,
  };
  return names[road_class] ?? road_class;
}

export function RatesPanel() {
  const t = pageWords.value;
  const found = rates.value;
  if (!found) return <Panel title={t.rates}>{words.value.loading}</Panel>;
  if (found === 'none') {
    return (
      <Panel title={t.rates}>
        <p class="empty">{t.noRates}</p>
      </Panel>
    );
  }
  return (
    <Panel title={t.rates} note={t.ratesOf(day(found.start_ms))}>
      <Table found={found} />
      <dl class="facts definitions">
        {[
          [t.reported, t.defReported],
          [t.worst, t.defWorst],
          [t.best, t.defBest],
        ].map(([name, meaning]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">{t.defRequired}</p>
    </Panel>
  );
}

function Table({ found }: { found: Rates }) {
  const t = pageWords.value;
  const heads = [t.lamps, t.reported, t.worst, t.best, t.darkLamps, t.unknownLamps];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t.rates}>
      <table class="small-table">
        <thead>
          <tr>
            <th scope="col">{t.roadClass}</th>
            {heads.map((head) => (
              <th key={head} scope="col" class="number">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.items.map((one) => (
            <Row key={one.key} one={one} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ one }: { one: Rate }) {
  return (
    <tr>
      <th scope="row">{className(one.key)}</th>
      <td class="number">{figure(one.lamps)}</td>
      <td class="number">
        <b>{quantity(one.reported_percent, '%', 'two')}</b>
      </td>
      <td class="number">{quantity(one.worst_percent, '%', 'two')}</td>
      <td class="number">{quantity(one.best_percent, '%', 'two')}</td>
      <td class="number">{figure(one.dark_lamps)}</td>
      <td class="number">{figure(one.unknown_lamps)}</td>
    </tr>
  );
}
