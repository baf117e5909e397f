/** Where the reader is: the part of the URL after #, so that every view has a link and needs no server. */
import {signal} from '../vendor/signals-core.js';
import {recorded} from './rpc.js';

/** @typedef {{path: string[], query: URLSearchParams}} Route */

/** @returns {Route} */
function current() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return {path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query)};
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = signal(current());

addEventListener('hashchange', () => {
  const before = route.peek().path.join('/');
  recorded.value = [];
  route.value = current();
  if (route.peek().path.join('/') !== before) {
    scrollTo(0, 0);
    document.querySelector('main')?.focus({preventScroll: true});
  }
});

/** @param {string} target such as #/l2/block/7 */
export function go(target) {
  location.hash = target;
}

/** @param {Record<string, string>} query replaces that of the URL without a step back in the history */
export function setQuery(query) {
  const {path} = route.peek();
  const text = new URLSearchParams(query).toString();
  history.replaceState(null, '', `#/${path.map(encodeURIComponent).join('/')}${text ? '?' + text : ''}`);
}
