/** The models and DataNets there are, with their names. */
import {call, RpcError} from '../rpc.js';
import {hex, num} from '../format.js';
import {nameOfHash} from './names_kept.js';

const PAGE = 100;
const DATANETS = 64;

/** @returns {Promise<any[]>} models by id, each with `id` and `name` */
export async function listModels() {
  const {models} = await call('l2', 'open_listModels', [null, hex(PAGE)]);
  return Promise.all(models.map(async (model) => ({...model, id: num(model.modelId), name: await nameOfHash(model.metadata)})));
}

/** @returns {Promise<any[]>} DataNets by id, each with `id` and `name`; ids count from 1 without gaps */
export async function listDatanets() {
  const found = [];
  for (let first = 1; ; first += DATANETS) {
    const part = await Promise.all(Array.from({length: DATANETS}, (_, index) => datanet(first + index)));
    const there = part.filter(Boolean);
    found.push(...there);
    if (there.length < DATANETS) return found;
  }
}

async function datanet(id) {
  try {
    const row = await call('l2', 'open_getDatanet', [hex(id)]);
    return {...row, id, name: await nameOfHash(row.metadata)};
  } catch (error) {
    if (error instanceof RpcError) return null;
    throw error;
  }
}

const MOST_OF_A_NAME = 40;

/** @param {{id: number, name: string|null}} item @param {string} kind @returns {string} for a heading: the whole name */
export const wholeTitle = (item, kind) => (item.name ? `${kind} ${item.id} · ${item.name}` : `${kind} ${item.id}`);

/** @param {{id: number, name: string|null}} item @param {string} kind @returns {string} for lists, where a long name would hide the columns next to it */
export function title({id, name}, kind) {
  const letters = [...(name ?? '')];
  return wholeTitle({id, name: letters.length > MOST_OF_A_NAME ? letters.slice(0, MOST_OF_A_NAME).join('') + '…' : name}, kind);
}
