/** Names of addresses: the development accounts, the system's own, and those that the reader's files brought. */
import {signal} from '../vendor/signals-core.js';

const SYSTEM = {
  '0x4f50454e00000000000000000000000000000001': 'Attribution',
  '0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001': 'L1 attributes depositor',
  '0x4200000000000000000000000000000000000015': 'L1Block',
  '0x420000000000000000000000000000000000000f': 'GasPriceOracle',
  '0x4200000000000000000000000000000000000016': 'L2ToL1MessagePasser',
  '0x4200000000000000000000000000000000000006': 'WETH',
  '0x4200000000000000000000000000000000000011': 'sequencer fee vault',
  '0x4200000000000000000000000000000000000019': 'base fee vault',
  '0x420000000000000000000000000000000000001a': 'L1 fee vault',
  '0x420000000000000000000000000000000000001b': 'operator fee vault',
};

export const ATTRIBUTION = '0x4f50454e00000000000000000000000000000001';

/** Names by address in lower case. */
export const names = signal(SYSTEM);
/** Roles by address in lower case, as lists. */
export const roles = signal({});

/** @param {string} address @returns {string|undefined} */
export const nameOf = (address) => names.value[address.toLowerCase()];

/** @param {string} address @returns {string[]} */
export const rolesOf = (address) => roles.value[address.toLowerCase()] ?? [];

/** @param {Record<string, string>} found names by address; those known already stay */
export function learn(found) {
  const lower = Object.fromEntries(Object.entries(found).map(([address, name]) => [address.toLowerCase(), name]));
  names.value = {...lower, ...names.peek()};
}
