import { effect } from '@preact/signals';
import { render } from 'preact';
import { page } from './data/address';
import { signedIn } from './data/api';
import * as events from './data/events';
import { loaded } from './data/fleet';
import * as lamp from './data/lamp';
import * as live from './data/live';
import { intoAddress, selected, view } from './data/selection';
import { open } from './data/session';
import { words } from './i18n';
import { LampMap } from './map/map';
import './style/base.css';
import './style/layout.css';
import './style/parts.css';
import './style/night.css';
import { Banner } from './views/banner';
import { Drawer } from './views/drawer';
import { Filters } from './views/filters';
import { lazily } from './views/lazy';
import { LampList } from './views/list';
import { Nav } from './views/nav';
import { Overview } from './views/overview';
import { SignIn } from './views/signin';
import { TopBar } from './views/topbar';

const Incidents = lazily(async () => (await import('./pages/incidents')).Incidents);
const Plans = lazily(async () => (await import('./pages/plans')).Plans);
const Fleet = lazily(async () => (await import('./pages/fleet')).Fleet);

function Street() {
  return (
    <>
      <Filters />
      <div class="stage">
        <div class="sight">
          {!loaded.value && <p class="loading">{words.value.loading}</p>}
          {view.value === 'map' ? <LampMap /> : <LampList />}
        </div>
        <aside class={selected.value.size > 0 ? 'open' : ''}>{selected.value.size > 0 ? <Drawer /> : <Overview />}</aside>
      </div>
    </>
  );
}

function Page() {
  if (signedIn.value === false) return <SignIn />;
  return (
    <>
      <TopBar />
      <Nav />
      <Banner />
      <main id="main" tabIndex={-1}>
        {page.value === 'street' && <Street />}
        {page.value === 'incidents' && <Incidents />}
        {page.value === 'plans' && <Plans />}
        {page.value === 'fleet' && <Fleet />}
      </main>
    </>
  );
}

render(<Page />, document.getElementById('app') as HTMLElement);

let started = false;
signedIn.subscribe((yes) => {
  if (!yes) return;
  if (started) {
    live.retryNow();
    return;
  }
  started = true;
  live.start();
  events.start();
  lamp.start();
});

const RETRY_MS = 2_000;
const begin = (): void => {
  open().catch(() => setTimeout(begin, RETRY_MS)); // the page can be older than the server's start
};
begin();
effect(intoAddress); // after the token behind '#' was read
