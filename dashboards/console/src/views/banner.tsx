import { tick } from '../data/city';
import { link, lostAtMs, retryNow } from '../data/live';
import { figure } from '../format';
import { words } from '../i18n';

export function Banner() {
  const t = words.value;
  return (
    <div role="status" aria-live="polite">
      {link.value === 'lost' && (
        <div class="banner">
          <span aria-hidden="true">⚠</span>
          <span>{t.lost}</span>
          <LostFor />
          <button type="button" onClick={retryNow}>
            {t.retryNow}
          </button>
        </div>
      )}
    </div>
  );
}

// Not announced: it changes every second.
function LostFor() {
  void tick.value;
  return (
    <span class="numbers" aria-hidden="true">
      {words.value.lostFor(figure(Math.round((performance.now() - lostAtMs.value) / 1000)))}
    </span>
  );
}
