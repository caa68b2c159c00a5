/** Rules of this house that no linter brings, for .oxlintrc.json. */
const noBarrels = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    ExportAllDeclaration(node) {
      const message =
        'Name what is exported: a barrel makes import cycles, and these fail at load with decorator metadata.';
      context.report({ node, message });
    },
  }),
};

export default { meta: { name: 'house' }, rules: { 'no-barrels': noBarrels } };
