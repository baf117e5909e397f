/** The template tag that every component writes its markup with. Text is escaped by Preact. */
import {h} from '../vendor/preact.js';
import htm from '../vendor/htm.js';

export const html = htm.bind(h);
