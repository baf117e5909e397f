/** What can be done to the chain, as JSON-RPC methods. Those that the node has are found when the page is opened. */
import {call, refusalOf, supports} from '../rpc.js';
import {hex} from '../format.js';

/**
 * @typedef {{group: string, method: string, endpoint: import('../rpc.js').Endpoint, label: string,
 *   fields?: {name: string, label: string, value: string, choices?: (string|{value: string, label: string})[], kind?: string}[], params?: (values: string[]) => any,
 *   heals?: boolean, warns?: string, says?: (answer: any) => string, unless?: string, turns?: 'on'|'off', refusal?: string|null}} Verb
 * turns: what it does to the actor of its group; it is disabled where the actor is so already.
 * unless: left out where the node has this method, which does more. says: words for the answer, for the log. heals: the
 * time is measured until the verifier agrees again. warns: what it destroys. refusal: why the node refuses it.
 */

const REORG = 'This replaces L1 blocks. L2 blocks that were derived from them are removed and built again.';

/** What the blocks of a reorganisation hold, by the names of `openrollup ctl l1 reorg --with`. */
const CONTENTS = [
  {value: 'empty', label: 'nothing'},
  {value: 'same', label: 'the same transactions'},
  {value: 'without-batches', label: 'the same without batches'},
];

const NUMBER = (label, value) => ({name: label, label, value});

/** @type {Verb[]} */
const ALL = [
  {group: 'Sequencer', method: 'admin_stopSequencer', endpoint: 'node', label: 'Stop', turns: 'off'},
  {
    group: 'Sequencer',
    method: 'admin_startSequencer',
    endpoint: 'node',
    label: 'Start',
    turns: 'on',
    params: async () => [(await call('l2', 'eth_getBlockByNumber', ['latest', false], {quiet: true})).hash],
  },
  {group: 'Batcher', method: 'admin_stopBatcher', endpoint: 'node', label: 'Stop', turns: 'off'},
  {group: 'Batcher', method: 'admin_startBatcher', endpoint: 'node', label: 'Start', turns: 'on', heals: true},
  {group: 'Batcher', method: 'admin_flushBatcher', endpoint: 'node', label: 'Post now', heals: true},
  {group: 'Proposer', method: 'admin_stopProposer', endpoint: 'node', label: 'Stop', turns: 'off'},
  {group: 'Proposer', method: 'admin_startProposer', endpoint: 'node', label: 'Start', turns: 'on'},
  {group: 'Derivation', method: 'admin_resetDerivationPipeline', endpoint: 'node', label: 'Restart at the safe head', heals: true},
  {group: 'L1', method: 'evm_mine', endpoint: 'l1', label: 'Mine a block', params: () => []},
  {
    group: 'L1',
    method: 'openrollup_reorgL1',
    endpoint: 'node',
    label: 'Reorganise',
    fields: [NUMBER('blocks deep', '3'), {name: 'contents', label: 'the new blocks hold', value: 'empty', choices: CONTENTS}],
    params: ([depth, contents]) => [hex(depth), contents, false],
    heals: true,
    warns: REORG,
  },
  {
    group: 'L1',
    method: 'anvil_reorg',
    endpoint: 'l1',
    unless: 'openrollup_reorgL1',
    label: 'Reorganise',
    fields: [NUMBER('blocks deep', '3')],
    params: ([depth]) => [Number(depth), []],
    heals: true,
    warns: REORG,
  },
  {group: 'L1', method: 'openrollup_finalizeL1', endpoint: 'node', label: 'Finalize the head', warns: 'No reorganisation can go below this L1 block afterwards.'},
  {group: 'L1', method: 'openrollup_pauseL1', endpoint: 'node', label: 'Pause'},
  {group: 'L1', method: 'openrollup_resumeL1', endpoint: 'node', label: 'Resume', heals: true},
  {
    group: 'L1',
    method: 'openrollup_mineL1',
    endpoint: 'node',
    label: 'Mine, and build the L2 blocks',
    fields: [NUMBER('blocks', '10')],
    params: ([count]) => [hex(count)],
    heals: true,
  },
  {group: 'Time', method: 'evm_increaseTime', endpoint: 'l2', label: 'Go forward', fields: [NUMBER('seconds', '3600')], params: ([seconds]) => [hex(seconds)]},
  {
    group: 'Time',
    method: 'openrollup_setTime',
    endpoint: 'node',
    label: 'Go forward to',
    fields: [{name: 'time', label: 'date and time, UTC', value: '', kind: 'datetime-local'}],
    params: ([text]) => {
      const seconds = Date.parse(`${text}Z`) / 1000;
      if (!Number.isFinite(seconds)) throw new Error('A date and a time are expected.');
      return [hex(Math.floor(seconds))];
    },
  },
  {group: 'Snapshots', method: 'openrollup_snapshot', endpoint: 'node', label: 'Take a snapshot', says: (answer) => `snapshot ${answer.snapshot}`},
  {
    group: 'Snapshots',
    method: 'openrollup_revert',
    endpoint: 'node',
    label: 'Go back to it',
    fields: [NUMBER('number', '1')],
    params: ([number]) => [hex(number)],
    warns: 'Both layers go back to the snapshot. All later blocks and snapshots are lost.',
  },
  {group: 'Garbage', method: 'openrollup_postGarbage', endpoint: 'node', label: 'Post to L1', fields: [{name: 'kind', label: 'kind', value: '', choices: []}], params: ([kind]) => [kind], heals: true},
];

/** @returns {Promise<Map<string, Verb[]>>} the verbs that the node has, by group */
export async function findVerbs() {
  const there = await Promise.all(ALL.map(({endpoint, method}) => supports(endpoint, method)));
  const names = new Set(ALL.filter((_, index) => there[index]).map(({method}) => method));
  const groups = new Map();
  for (const verb of ALL.filter(({method, unless}) => names.has(method) && !names.has(unless))) {
    const chosen = {...(verb.group === 'Garbage' ? await withKinds(verb) : verb), refusal: await refusalOf(verb.endpoint, verb.method)};
    groups.set(verb.group, [...(groups.get(verb.group) ?? []), chosen]);
  }
  return groups;
}

async function withKinds(verb) {
  const kinds = Object.keys(await call('node', 'openrollup_garbageKinds', [], {quiet: true}).catch(() => ({})));
  return {...verb, fields: [{...verb.fields[0], choices: kinds, value: kinds[0] ?? ''}]};
}
