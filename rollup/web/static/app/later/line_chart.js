/** Time series as step lines (uPlot), loaded by the pages that have one. */
import uPlot from '../../vendor/uplot.js';

const HEIGHT = 260;
const SHORTEST = 20; // seconds that the chart shows at least

/** A colour of the stylesheet. */
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * @param {HTMLElement} box
 * @param {{labels: string[], colours: string[], dashes: (number[]|undefined)[]}} series names, and CSS variables of their colours
 * @param {() => {time: number, words: string}[]} marks what happened when, drawn as numbered lines
 * @returns {{show: (data: number[][]) => void, remove: () => void}}
 */
export function lineChart(box, series, marks) {
  const axis = () => ({stroke: ink('--quiet'), grid: {stroke: ink('--line'), width: 1}, ticks: {stroke: ink('--line'), width: 1}, font: '12px system-ui'});
  const numbers = (_, values) => values.map((value) => (Number.isInteger(value) ? value.toLocaleString('en') : ''));
  const clocks = (_, times) => times.map((time) => new Date(time * 1000).toLocaleTimeString('en-GB'));
  const make = () =>
    new uPlot(
      {
        width: box.clientWidth,
        height: HEIGHT,
        legend: {show: false},
        cursor: {drag: {x: false, y: false}},
        scales: {x: {range: (_, low, high) => [Math.min(low, high - SHORTEST), high]}, y: {range: (_, low, high) => [Math.max(0, low - 1), high + 1]}},
        axes: [{...axis(), space: 90, values: clocks}, {...axis(), size: 64, values: numbers}],
        series: [
          {},
          ...series.labels.map((label, index) => ({
            label,
            stroke: ink(series.colours[index]),
            width: 1.75,
            dash: series.dashes[index],
            paths: uPlot.paths.stepped({align: 1}),
            points: {show: false},
          })),
        ],
        hooks: {draw: [(chart) => drawMarks(chart, marks())]},
      },
      [[], ...series.labels.map(() => [])],
      box,
    );
  let chart = make();
  let last = chart.data;
  const resize = new ResizeObserver(() => chart.setSize({width: box.clientWidth, height: HEIGHT}));
  resize.observe(box);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const recolour = () => {
    chart.destroy();
    chart = make();
    chart.setData(last);
  };
  scheme.addEventListener('change', recolour);
  return {
    show: (data) => {
      last = data;
      chart.setData(data);
    },
    remove: () => {
      resize.disconnect();
      scheme.removeEventListener('change', recolour);
      chart.destroy();
    },
  };
}

function drawMarks(chart, marks) {
  const {ctx, bbox} = chart;
  ctx.save();
  ctx.strokeStyle = ink('--line-strong');
  ctx.fillStyle = ink('--ink');
  ctx.font = `${12 * devicePixelRatio}px system-ui`;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  marks.forEach(({time}, index) => {
    const x = chart.valToPos(time, 'x', true);
    if (!(x >= bbox.left && x <= bbox.left + bbox.width)) return;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(String(index + 1), x + 4, bbox.top + 12 * devicePixelRatio);
  });
  ctx.restore();
}
