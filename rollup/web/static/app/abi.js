/**
 * The contract ABI, as much of it as the attribution account uses: unsigned integers, addresses, booleans, bytes, fixed
 * bytes, strings, tuples and arrays. Integers are BigInt, everything else of bytes is 0x text.
 *
 * @typedef {{name: string, type: string, components?: Parameter[]}} Parameter
 */

const WORD = 64;

/** @param {Parameter} parameter @returns {boolean} */
function isDynamic({type, components}) {
  if (type.endsWith('[]') || type === 'bytes' || type === 'string') return true;
  return type === 'tuple' && components.some(isDynamic);
}

/** @param {Parameter} parameter @returns {number} hex digits of its part that is in place */
function headSize(parameter) {
  if (isDynamic(parameter) || parameter.type !== 'tuple') return WORD;
  return parameter.components.reduce((sum, item) => sum + headSize(item), 0);
}

const itemOf = (parameter) => ({...parameter, type: parameter.type.slice(0, -2)});
const word = (value) => BigInt(value).toString(16).padStart(WORD, '0');
const padded = (digits) => digits.padEnd(Math.ceil(digits.length / WORD) * WORD, '0');

/**
 * @param {Parameter[]} parameters
 * @param {any[]} values by position; tuples are objects by name or arrays
 * @returns {string} hex digits without 0x
 */
export function encode(parameters, values) {
  let tailAt = parameters.reduce((sum, item) => sum + headSize(item), 0) / 2;
  let head = '';
  let tail = '';
  parameters.forEach((parameter, index) => {
    const digits = encodeOne(parameter, values[index]);
    if (isDynamic(parameter)) {
      head += word(tailAt);
      tail += digits;
      tailAt += digits.length / 2;
    } else {
      head += digits;
    }
  });
  return head + tail;
}

function encodeOne(parameter, value) {
  const {type, components} = parameter;
  if (type.endsWith('[]')) {
    const item = itemOf(parameter);
    return word(value.length) + encode(value.map(() => item), value);
  }
  if (type === 'tuple') {
    return encode(components, Array.isArray(value) ? value : components.map((item) => value[item.name]));
  }
  if (type === 'bytes') return word((value.length - 2) / 2) + padded(value.slice(2));
  if (type.startsWith('bytes')) return padded(value.slice(2));
  if (type === 'address') return value.slice(2).toLowerCase().padStart(WORD, '0');
  if (type === 'bool') return word(value ? 1 : 0);
  if (type.startsWith('uint')) {
    const number = BigInt(value);
    if (number < 0n || number >> BigInt(type.slice(4) || 256)) throw new RangeError(`${value} is no ${type}`);
    return word(number);
  }
  throw new TypeError(`the ABI type ${type} is not known here`);
}

/**
 * @param {Parameter[]} parameters
 * @param {string} digits hex without 0x
 * @returns {any[]} values by position; tuples are objects by name. Throws RangeError where the data ends too early.
 */
export function decode(parameters, digits) {
  let at = 0;
  return parameters.map((parameter) => {
    const place = isDynamic(parameter) ? 2 * Number(BigInt(slice(digits, at, WORD, true))) : at;
    const value = decodeAt(parameter, digits, place);
    at += headSize(parameter);
    return value;
  });
}

function slice(digits, at, length, isNumber = false) {
  if (at + length > digits.length) throw new RangeError('the data ends too early');
  return (isNumber ? '0x' : '') + digits.slice(at, at + length);
}

function decodeAt(parameter, digits, at) {
  const {type, components} = parameter;
  if (type.endsWith('[]')) {
    const count = Number(BigInt(slice(digits, at, WORD, true)));
    const rest = digits.slice(at + WORD);
    if (count * WORD > rest.length) throw new RangeError('the data ends too early');
    return decode(Array.from({length: count}, () => itemOf(parameter)), rest);
  }
  if (type === 'tuple') {
    const values = decode(components, digits.slice(at));
    return Object.fromEntries(components.map((item, index) => [item.name, values[index]]));
  }
  if (type === 'bytes' || type === 'string') {
    const length = 2 * Number(BigInt(slice(digits, at, WORD, true)));
    const bytes = slice(digits, at + WORD, length);
    return type === 'bytes' ? '0x' + bytes : new TextDecoder().decode(toBytes(bytes));
  }
  const value = slice(digits, at, WORD);
  if (type === 'address') return '0x' + value.slice(-40);
  if (type === 'bool') return BigInt('0x' + value) !== 0n;
  if (type.startsWith('bytes')) return '0x' + value.slice(0, 2 * Number(type.slice(5)));
  return BigInt('0x' + value);
}

const toBytes = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
