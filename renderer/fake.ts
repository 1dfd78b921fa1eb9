/** The page over a scripted client: `fake.html?scenario=slow`. For development and page tests; in no product build. */
import './app.css';
import './markdown/markdown.css';
import { start } from './mount.ts';
import { systemClock } from './state/clock.ts';
import { FakeClient } from './state/fake-client.ts';
import { SCENARIOS, type ScenarioName } from './state/fake-scenarios.ts';

declare global {
  interface Window {
    /** For tests: what the page asked, and the text of answers to come. */
    fake: FakeClient;
  }
}

const wanted = new URLSearchParams(location.search).get('scenario') ?? 'plain';
const name = SCENARIOS.find((known): known is ScenarioName => known === wanted);
if (!name) throw new Error(`No scenario is called ${wanted}; there are ${SCENARIOS.join(', ')}.`);
window.fake = new FakeClient(systemClock, name);
start(window.fake);
