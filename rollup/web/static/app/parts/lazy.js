/** A component whose module is loaded when it is first shown, so that the first page does not wait for the others. */
import {html} from '../html.js';
import {useEffect, useState} from '../../vendor/preact-hooks.js';
import {Failure, Waiting} from './notice.js';

/**
 * @param {() => Promise<any>} load the component
 * @returns {(props: any) => any}
 */
export function lazy(load) {
  let found = null;
  return function Lazy(props) {
    const [error, setError] = useState(null);
    const [, setLoaded] = useState(found !== null);
    useEffect(() => {
      if (found) return;
      load().then(
        (component) => {
          found = component;
          setLoaded(true);
        },
        (reason) => setError(reason),
      );
    }, []);
    if (error) return html`<${Failure} error=${error} />`;
    return found ? html`<${found} ...${props} />` : html`<${Waiting} lines=${6} />`;
  };
}
