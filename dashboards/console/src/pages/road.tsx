import { road, roadNight, roads } from '../data/lighting';
import { figure } from '../format';
import { words } from '../i18n';
import { pageWords } from '../i18n/pages';
import { NightChart } from '../views/night';
import { Panel } from './panel';
import { className } from './rates';

export function RoadPanel() {
  const t = pageWords.value;
  const all = roads.value;
  if (!all) return <Panel title={t.roadTonight}>{words.value.loading}</Panel>;
  return (
    <Panel title={t.roadTonight}>
      {all.length === 0 ? (
        <p class="empty">{t.noRoads}</p>
      ) : (
        <>
          <select
            aria-label={t.road}
            value={road.value}
            onChange={(event) => {
              road.value = event.currentTarget.value;
            }}
          >
            {all.map((one) => (
              <option key={one.id} value={one.id}>
                {`${one.name || one.id} · ${className(one.road_class)}`}
              </option>
            ))}
          </select>
          <Night />
        </>
      )}
    </Panel>
  );
}

function Night() {
  const t = pageWords.value;
  const shown = roadNight.value?.road === road.value ? roadNight.value : null;
  if (!shown) return <p class="hint">{words.value.loading}</p>;
  return (
    <>
      {shown.without_plan.length > 0 && <p class="differs">{t.withoutPlan(figure(shown.without_plan.length))}</p>}
      {shown.lamps === 0 && <p class="empty">{t.noNight}</p>}
      {shown.nights.map((alike) => (
        <div key={alike.lamps[0]} class="alike">
          <h4>{t.roadLamps(figure(alike.lamps.length))}</h4>
          <NightChart what={shown.road} changes={alike.changes} />
        </div>
      ))}
    </>
  );
}
