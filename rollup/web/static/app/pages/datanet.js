/** A DataNet: its contributors with their units and money, its texts, and the models that pay into it. */
import {html} from '../html.js';
import {call, supports} from '../rpc.js';
import {useData} from '../use_data.js';
import {foreign, grouped, hex, num, percent} from '../format.js';
import {nameOfHash} from '../studio/names_kept.js';
import {Page, Section} from '../parts/page.js';
import {Facts, Table} from '../parts/table.js';
import {Empty, Loaded} from '../parts/notice.js';
import {Figures} from '../parts/figures.js';
import {Address, Amount, Hash} from '../parts/values.js';

const MOST = 200;
const WORDS = 90;

async function load(id) {
  const [datanet, members, hasTexts] = await Promise.all([
    call('l2', 'open_getDatanet', [hex(id)]),
    call('l2', 'open_listContributors', [hex(id), null, hex(MOST)]),
    supports('l2', 'open_listContents'),
  ]);
  const listed = hasTexts ? await call('l2', 'open_listContents', [hex(id)]) : [];
  const texts = await Promise.all(
    listed.slice(0, MOST).map(async (item) => ({...item, text: item.isHere ? await call('l2', 'open_getContent', [item.contentHash]) : null})),
  );
  return {datanet, name: await nameOfHash(datanet.metadata), contributors: members.contributors, texts, count: listed.length};
}

const TEXTS = [
  {title: 'Text', cell: (row) => (row.text === null ? html`<span class="quiet">this node does not have the text</span>` : html`<details><summary>${foreign(row.text.slice(0, WORDS))}${row.text.length > WORDS && '…'}</summary><pre tabindex="0" class="break">${row.text}</pre></details>`)},
  {title: 'By', cell: (row) => html`<${Address} value=${row.contributor} roles=${false} />`},
  {title: 'keccak256', hide: true, cell: (row) => html`<${Hash} value=${row.contentHash} copy />`},
];

function Found({found: {datanet, contributors, texts, count}}) {
  const total = BigInt(datanet.totalUnits);
  const columns = [
    {title: 'Contributor', cell: (row) => html`<${Address} value=${row.account} roles=${false} />`},
    {title: 'Texts', right: true, cell: (row) => grouped(row.contributions)},
    {title: 'Units', right: true, cell: (row) => grouped(row.units)},
    {title: 'Share', right: true, cell: (row) => percent(BigInt(row.units), total)},
    {title: 'Quoted, OPEN', right: true, hide: true, cell: (row) => html`<${Amount} wei=${row.direct} unit=${false} />`},
    {title: 'From the pool, OPEN', right: true, hide: true, cell: (row) => html`<${Amount} wei=${row.settled} unit=${false} />`},
    {title: 'Still in the pool, OPEN', right: true, cell: (row) => html`<${Amount} wei=${row.pending} unit=${false} />`},
    {title: '', right: true, cell: (row) => html`<a href=${`#/earnings/${row.account}`}>earnings</a>`},
  ];
  return html`
    <${Figures} rows=${[['Texts', grouped(datanet.contributions)], ['Contributors', grouped(datanet.members)], ['Paid into the pool', html`<${Amount} wei=${datanet.paid} />`], ['Still in it', html`<${Amount} wei=${datanet.pending} />`]]} />
    <${Facts} rows=${[
      ['Curator', html`<${Address} value=${datanet.curator} whole copy />`],
      ['Units', grouped(total)],
      ['Models that pay', datanet.models.length > 0 && datanet.models.map((item, index) => html`${index > 0 && ', '}<a href=${`#/usage/${num(item.modelId)}`}>model ${num(item.modelId)}</a> <span class="quiet"><${Amount} wei=${item.paid} /></span>`)],
    ]} />
    <${Section} title="Contributors" note="The pool's earnings are shared by units. A contributor who is quoted in an answer is paid directly.">${contributors.length ? html`<${Table} caption="Contributors" columns=${columns} rows=${contributors} keyOf=${(row) => row.account} />` : html`<${Empty}>No contributor yet.<//>`}<//>
    ${texts.length > 0 && html`<${Section} title="Texts" note=${count > MOST ? `The first ${MOST} of ${grouped(count)}, in order of registration.` : 'In order of registration.'}><${Table} caption="Texts" columns=${TEXTS} rows=${texts} keyOf=${(row) => row.contentHash} /><//>`}`;
}

export function Datanet({id}) {
  const isId = /^\d{1,18}$/.test(id);
  const data = useData(() => (isId ? load(Number(id)) : Promise.reject(new Error(`${id} is not the id of a DataNet`))), [id], {live: 'slowly'});
  const name = data.value?.name;
  return html`<${Page} title=${name ? `DataNet ${id} · ${name}` : `DataNet ${id}`} above=${html`<a href="#/usage">Usage</a>`}>
    <${Loaded} data=${data} lines=${8}>${(found) => html`<${Found} found=${found} />`}<//>
    ${data.error && !data.value && html`<p><a href="#/usage">To all models</a></p>`}
  <//>`;
}
