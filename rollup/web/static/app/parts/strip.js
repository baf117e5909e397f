/** The heads of both layers and the verifier's word, on every page. */
import {html} from '../html.js';
import {has} from '../rpc.js';
import {heads, isPaused, pause, silence, verdict} from '../heads.js';
import {foreign, grouped, short, span} from '../format.js';

const Figure = ({label, layer, head, note}) =>
  head &&
  html`<span class="figure"><span class="label">${label}</span> <a href=${`#/${layer}/block/${head.number}`}>#${grouped(head.number)}</a>${note && html`<span class="quiet"> ${note}</span>`}</span>`;

function lag({head, safe}) {
  if (!safe) return null;
  const blocks = head.number - safe.number;
  return blocks > 0 ? `${blocks} behind, ${span(head.time - safe.time)}` : 'at the head';
}

function Verdict() {
  const {state, number, hash} = verdict.value;
  if (state === 'absent') return null;
  if (state === 'waiting') return html`<span class="verdict"><span class="label">verifier</span> has not answered yet</span>`;
  if (state === 'equal') {
    return html`<span class="verdict is-equal" title=${hash}><span class="label">verifier</span> <span class="mark" aria-hidden="true">✓</span> equal at #${grouped(number)} <span class="mono quiet">${short(hash, 6, 2)}</span></span>`;
  }
  return html`<span class="verdict is-different"><span class="label">verifier</span> <span class="mark" aria-hidden="true">✗</span> differs from <a href=${`#/l2/block/${number}`}>#${grouped(number)}</a> onwards</span>`;
}

export function Strip() {
  const state = heads.value;
  const toggle = () => pause(!isPaused.peek());
  if (!state) return html`<div class="strip">${silence.value ? html`<span class="stale-word" role="status">${foreign(silence.value.reason)}</span>` : html`<span class="quiet">Asking for the heads…</span>`}</div>`;
  const isOn = state.isActive.sequencer;
  return html`<div class=${`strip${silence.value ? ' is-stale' : ''}`}>
    ${
      state.l1
        ? html`<div class="layer"><span class="tag">L1</span>
          <${Figure} label="head" layer="l1" head=${state.l1.head} />
          <${Figure} label="safe" layer="l1" head=${state.l1.safe} />
          <${Figure} label="final" layer="l1" head=${state.l1.final} /></div>`
        : html`<div class="layer"><span class="tag">L1</span><span class="quiet">${has('l1') ? 'does not answer' : 'not given (--l1)'}</span></div>`
    }
    <div class="layer"><span class="tag">L2</span>
      <${Figure} label="unsafe" layer="l2" head=${state.l2.head} />
      <${Figure} label="safe" layer="l2" head=${state.l2.safe} note=${lag(state.l2)} />
      <${Figure} label="final" layer="l2" head=${state.l2.final} /></div>
    <div class="layer grow">
      <${Verdict} />
      ${isOn !== undefined && html`<span class="figure"><span class="label">sequencer</span> ${isOn ? 'on' : html`<strong>off</strong>`}</span>`}
    </div>
    ${silence.value && html`<span class="stale-word">no answer since ${span((Date.now() - silence.value.since) / 1000)}</span>`}
    <button type="button" class="pause" title="Live updates of this page" aria-pressed=${isPaused.value} onClick=${toggle}>${isPaused.value ? 'Resume' : 'Pause'}</button>
  </div>`;
}
