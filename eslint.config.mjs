import { defineConfig, globalIgnores } from 'eslint/config';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Rules that need no types; the same for every file. */
const everywhere = {
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'no-empty': ['error', { allowEmptyCatch: false }],
  'no-console': 'off',
  'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
};

const DEFAULT_EXPORT = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export it by name: a default export has another name in every file that imports it.',
};
const BARREL = {
  selector: 'ExportAllDeclaration',
  message:
    'Name what is exported: a barrel makes import cycles, and these fail at load with decorator metadata.',
};
const MODULE_MOCK = {
  selector:
    "CallExpression[callee.object.name='jest'][callee.property.name=/^(mock|unstable_mockModule|spyOn)$/]",
  message: 'Use a fake of the port (testing/): module mocks and spies pass while the real thing is broken.',
};

export default defineConfig(
  globalIgnores(['dist/', 'data/', 'coverage/', 'web/', 'test/architecture/fixtures/', 'bench/results/']),
  js.configs.recommended,
  { rules: everywhere, linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    name: 'plain Node scripts',
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'readonly',
        require: 'readonly',
        __dirname: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        AbortSignal: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
      },
    },
  },
  {
    name: 'the panel, in a browser',
    files: ['panel/**/*.js'],
    languageOptions: {
      globals: {
        document: 'readonly',
        navigator: 'readonly',
        location: 'readonly',
        sessionStorage: 'readonly',
        URLSearchParams: 'readonly',
        Node: 'readonly',
        Option: 'readonly',
      },
    },
  },
  {
    name: 'TypeScript',
    files: ['src/**/*.ts', 'migrations/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        // With these, consistent-type-imports leaves a class alone that a decorated constructor needs at run time.
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // What was caught is thrown on as it is.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingAny: false, allowThrowingUnknown: true },
      ],
      // tsc reports these with the same words, and knows about `_`-less parameters of overrides.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A port's method is async even where an adapter of it has nothing to await.
      '@typescript-eslint/require-await': 'off',
      // Nest modules are classes that carry a decorator and nothing else.
      '@typescript-eslint/no-extraneous-class': 'off',
      'no-restricted-syntax': ['error', DEFAULT_EXPORT, BARREL],
    },
  },
  {
    name: 'tests',
    files: ['**/*.spec.ts', 'test/**/*.ts', '**/testing/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Answers of servers are looked at with matchers, which say more than a type would.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // Tests print secrets on purpose, to see that they come out as `***`.
      '@typescript-eslint/restrict-template-expressions': 'off',
      'no-restricted-syntax': ['error', DEFAULT_EXPORT, BARREL, MODULE_MOCK],
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:timers/promises', 'timers/promises'].map((name) => ({
            name,
            message: 'Tests do not sleep: wait for what you need with eventually() of test/support.',
          })),
        },
      ],
    },
  },
);
