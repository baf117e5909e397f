/** Heads over time: unsafe, safe, finalized, and how far the verifier agrees; the log next to it has the same content as text. */
import {html} from '../html.js';
import {useEffect, useRef} from '../../vendor/preact-hooks.js';
import {answers, samples} from '../heads.js';
import {log} from './log.js';

const SERIES = {
  labels: ['unsafe', 'safe', 'finalized', 'verifier agrees'],
  colours: ['--shade-0', '--shade-1', '--shade-4', '--good'],
  dashes: [undefined, undefined, undefined, [4, 4]],
};

const rows = () => [
  samples.map((item) => item.time),
  ...['unsafe', 'safe', 'final', 'verifier'].map((name) => samples.map((item) => item[name])),
];

export function HeadsChart() {
  const box = useRef(null);
  const chart = useRef(null);
  useEffect(() => {
    let isWanted = true;
    import('../later/line_chart.js').then(({lineChart}) => {
      if (!isWanted) return;
      chart.current = lineChart(box.current, SERIES, () => log.peek());
      chart.current.show(rows());
    });
    return () => {
      isWanted = false;
      chart.current?.remove();
    };
  }, []);
  const answered = answers.value;
  const count = log.value.length;
  useEffect(() => chart.current?.show(rows()), [answered, count]);
  return html`<figure>
    <figcaption class="legend">${SERIES.labels.map((label, index) => html`<span><i style=${{'--swatch': `var(${SERIES.colours[index]})`}}></i>${label}</span>`)}<span>numbered lines: entries of the log below</span></figcaption>
    <div class="chart" ref=${box} role="img" aria-label="Heads of the L2 over time; the log below lists what happened"></div>
  </figure>`;
}
