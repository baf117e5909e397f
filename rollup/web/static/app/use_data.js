/** Data of a component: asked for when it appears, and again whenever a head moves. */
import {useLayoutEffect, useRef, useState} from '../vendor/preact-hooks.js';
import {slowTick, tick} from './heads.js';

/**
 * @template T
 * @param {() => Promise<T>} load
 * @param {unknown[]} deps what it depends on; a change of them drops what is shown
 * @param {{live?: boolean|'slowly', beat?: unknown}} [options] live: ask again when a head moves (the default), or at
 *   most each ten seconds; beat: ask again when this changes
 * @returns {{value?: T, error?: Error, isLoading: boolean, reload: () => void}}
 */
export function useData(load, deps, {live = true, beat = 0} = {}) {
  const [state, setState] = useState({isLoading: true});
  const [count, setCount] = useState(0);
  const key = JSON.stringify(deps);
  const shown = useRef(key);
  const asked = useRef(0);
  const answered = useRef(0);
  const turn = live === 'slowly' ? slowTick.value : live ? tick.value : 0;
  // The question goes out with what is drawn, not after the next picture.
  useLayoutEffect(() => {
    if (shown.current !== key) {
      shown.current = key;
      setState({isLoading: true});
    }
    const number = ++asked.current;
    // An answer is shown though a head moved meanwhile: where answers take long, none would ever be shown otherwise.
    const show = (next) => {
      if (shown.current !== key || number < answered.current) return;
      answered.current = number;
      setState(next);
    };
    load().then(
      (value) => show({value, isLoading: false}),
      (error) => show((before) => ({...before, error, isLoading: false})),
    );
  }, [key, turn, beat, count]);
  return {...state, reload: () => setCount((before) => before + 1)};
}
