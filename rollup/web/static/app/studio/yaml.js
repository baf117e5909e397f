/** The form as the YAML of `openrollup model register`. Reading it back is the node's work: it has the one parser. */

/** @param {string} text @returns {string} as a YAML scalar: JSON's strings are YAML's too */
const quoted = (text) => JSON.stringify(text);

/** @param {import('./state.js').Form} form @returns {string} */
export function toYaml(form) {
  const lines = [`name: ${quoted(form.name)}`];
  if (form.attributor) lines.push(`attributor: ${quoted(form.attributor)}`);
  lines.push(
    `base_model: ${form.baseModel}`,
    'price:  # what is not named costs nothing',
    `  per_call: ${form.perCall || 0} open`,
    `  per_kilo_input: ${form.perKiloInput || 0} open`,
    `  per_kilo_output: ${form.perKiloOutput || 0} open`,
    'split:  # of the fee less the platform\'s share',
    `  owner: ${form.owner}%`,
    `  lineage: ${form.lineage}%`,
    `  data: ${form.data}%`,
  );
  if (!form.weights.length) return lines.concat('datanets: []  # choose at least one').join('\n') + '\n';
  lines.push('datanets:');
  for (const {id, weight} of form.weights) lines.push(`  - id: ${id}`, `    weight: ${weight}`);
  return lines.join('\n') + '\n';
}
