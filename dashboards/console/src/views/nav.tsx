import { go, PAGES, type PageName, page } from '../data/address';
import { openCount } from '../data/incidents';
import { figure } from '../format';
import { words } from '../i18n';

function pageTitle(name: PageName): string {
  const t = words.value;
  return { street: t.pageStreet, incidents: t.pageIncidents, plans: t.pagePlans, fleet: t.pageFleet }[name];
}

export function Nav() {
  const t = words.value;
  return (
    <nav class="pages" aria-label={t.pages}>
      {PAGES.map((name) => (
        <a
          key={name}
          href={name === 'street' ? '/' : `/?page=${name}`}
          aria-current={page.value === name ? 'page' : undefined}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            go(name);
          }}
        >
          {pageTitle(name)}
          {name === 'incidents' && openCount.value.total > 0 && <Count />}
        </a>
      ))}
    </nav>
  );
}

function Count() {
  const { total, urgent } = openCount.value;
  const text = figure(total);
  return (
    <span class={`badge ${urgent ? 'urgent' : 'alert'}`} data-testid="incidents">
      {urgent && <span aria-hidden="true">▲ </span>}
      <span aria-hidden="true">{text}</span>
      <span class="visually-hidden">{words.value.openIncidents(text)}</span>
    </span>
  );
}
