import { pathText, type FieldProblem } from '../../../../platform/kernel/field-problem.js';
import { EDGES, ORDERS, scalarKey, type Condition, type JsonValue, type Test } from './condition.js';
import { MAX_PATH_LENGTH, pathNames } from './field-path.js';
import { JsonDocument } from '../json-document.js';

/** Bounds of one filter. */
export const MAX_FILTER_BYTES = 16_384;
export const MAX_FILTER_DEPTH = 8;
export const MAX_FILTER_CONDITIONS = 100;
/** In all lists of `$in` and `$nin` together. */
export const MAX_FILTER_VALUES = 200;

const MAX_PROBLEMS = 50;
/** Characters of a name that a message shows. */
const MAX_SHOWN = 100;

const OPERATORS: ReadonlySet<string> = new Set([
  ...['$eq', '$ne', ...ORDERS, '$in', '$nin', '$exists', ...EDGES, '$not'],
]);
const JOINING: ReadonlySet<string> = new Set(['$and', '$or', '$not']);

export interface ReadFilter {
  /** Usable only when there are no problems. */
  readonly condition: Condition;
  readonly problems: readonly FieldProblem[];
}

/**
 * Reads a filter, and says everything that is wrong with it.
 *
 * @param text valid JSON
 * @param path where the filter stands, `['filter']`
 */
export function readFilter(text: string, path: readonly (string | number)[]): ReadFilter {
  const reading = new FilterReading(new JsonDocument(text), path.length);
  const condition = reading.read(path);
  return { condition, problems: reading.problems.slice(0, MAX_PROBLEMS) };
}

type Path = readonly (string | number)[];

const NOTHING: Condition = { kind: 'all', of: [] };

class FilterReading {
  readonly problems: FieldProblem[] = [];
  private conditions = 0;
  private values = 0;

  /** @param above steps of paths that lead to the filter itself */
  constructor(
    private readonly document: JsonDocument,
    private readonly above: number,
  ) {}

  read(path: Path): Condition {
    const { document } = this;
    if (document.kindAt(document.root) !== 'object') return this.refuse(path, 'Filter must be an object');
    if (Buffer.byteLength(document.text) > MAX_FILTER_BYTES) {
      return this.refuse(path, `Filter must be at most ${MAX_FILTER_BYTES} bytes`);
    }
    if (document.depth > MAX_FILTER_DEPTH) {
      return this.refuse(path, `Filter must be nested at most ${MAX_FILTER_DEPTH} deep`);
    }
    const condition = this.filter(document.root, path);
    if (this.conditions > MAX_FILTER_CONDITIONS) {
      this.refuse(path, `Filter must have at most ${MAX_FILTER_CONDITIONS} conditions`);
    }
    if (this.values > MAX_FILTER_VALUES) {
      this.refuse(path, `Filter must have at most ${MAX_FILTER_VALUES} values in its lists`);
    }
    return condition;
  }

  private refuse(path: Path, msg: string): Condition {
    this.problems.push({ path, msg });
    return NOTHING;
  }

  /** Where something stands, for messages: `total`, `$or[0].total`. */
  private place(path: Path): string {
    return pathText(path.slice(this.above)) || 'filter';
  }

  /** An object with paths and joining operators: all of them must fit. */
  private filter(at: number, path: Path): Condition {
    return {
      kind: 'all',
      of: this.entries(at, path).map(([name, value]) => {
        const here = [...path, shown(name)];
        if (JOINING.has(name)) return this.joined(name, value, here);
        if (!name.startsWith('$')) return this.field(name, value, here);
        return this.refuse(
          here,
          OPERATORS.has(name)
            ? `${name} must stand under a field, such as {"total":{"${name}": …}}`
            : this.unknown(name, path),
        );
      }),
    };
  }

  private unknown(operator: string, path: Path): string {
    return `Unknown operator ${JSON.stringify(shown(operator))} at ${this.place(path)}`;
  }

  /** Its members; a repeated name is a mistake, of which a parser would keep the last and say nothing. */
  private entries(at: number, path: Path): readonly (readonly [string, number])[] {
    const seen = new Set<string>();
    const entries = this.document.entries(at);
    for (const [name] of entries) {
      if (seen.has(name)) {
        this.refuse(
          [...path, shown(name)],
          `${JSON.stringify(shown(name))} stands twice at ${this.place(path)}`,
        );
      }
      seen.add(name);
    }
    return entries;
  }

  private joined(operator: string, at: number, path: Path): Condition {
    const kind = this.document.kindAt(at);
    if (operator === '$not') {
      if (kind === 'object') return { kind: 'not', of: this.filter(at, path) };
      return this.refuse(path, `${this.place(path)} must be a filter`);
    }
    const items = kind === 'array' ? this.document.items(at) : null;
    if (items === null || items.some((item) => this.document.kindAt(item) !== 'object')) {
      return this.refuse(path, `${this.place(path)} must be a list of filters`);
    }
    if (operator === '$or' && items.length === 0) {
      return this.refuse(path, `${this.place(path)} must have at least one filter: none would match nothing`);
    }
    const of = items.map((item, n) => this.filter(item, [...path, n]));
    return { kind: operator === '$or' ? 'any' : 'all', of };
  }

  private field(name: string, at: number, path: Path): Condition {
    const names = pathNames(name);
    if (names.includes('')) {
      this.refuse(path, `The path ${JSON.stringify(shown(name))} has an empty name`);
    }
    if (names.length > MAX_PATH_LENGTH) {
      this.refuse(path, `The path ${JSON.stringify(shown(name))} has more than ${MAX_PATH_LENGTH} names`);
    }
    const field = { path: name, names };
    if (this.document.kindAt(at) === 'object') return this.operators(field, at, path);
    return this.counted(field, '$eq', this.oneOf([at]));
  }

  /** An object of operators under a path: all of them must fit, each for itself. */
  private operators(field: Field, at: number, path: Path): Condition {
    const entries = this.entries(at, path);
    if (entries.length === 0) return this.refuse(path, `${this.place(path)} must have an operator`);
    return {
      kind: 'all',
      of: entries.map(([name, value]) => {
        const here = [...path, shown(name)];
        if (OPERATORS.has(name)) return this.operator(field, name, value, here);
        if (JOINING.has(name)) {
          return this.refuse(
            here,
            `${name} at ${this.place(path)} must stand at the top or within $and, $or, $not`,
          );
        }
        return this.refuse(
          here,
          name.startsWith('$')
            ? this.unknown(name, path)
            : `${this.place(path)} must hold operators: write "${shown(field.path)}.${shown(name)}" for a field within, or $eq to compare whole objects`,
        );
      }),
    };
  }

  private operator(field: Field, operator: string, at: number, path: Path): Condition {
    const kind = this.document.kindAt(at);
    switch (operator) {
      case '$not':
        if (kind === 'object') return { kind: 'not', of: this.operators(field, at, path) };
        return this.refuse(path, `${this.place(path)} must be an object of operators`);
      case '$eq':
      case '$ne':
        return negatedIf(operator === '$ne', this.counted(field, operator, this.oneOf([at])));
      case '$in':
      case '$nin':
        return negatedIf(operator === '$nin', this.counted(field, operator, this.listed(operator, at, path)));
      case '$exists':
        if (kind !== 'true' && kind !== 'false') {
          return this.refuse(path, `${this.place(path)} must be true or false`);
        }
        return negatedIf(kind === 'false', this.counted(field, operator, { kind: 'exists' }));
      default:
        return this.counted(field, operator, this.compared(operator, at, path));
    }
  }

  private counted(field: Field, operator: string, test: Test): Condition {
    this.conditions += 1;
    return { kind: 'field', ...field, operator, test };
  }

  private listed(operator: string, at: number, path: Path): Test {
    const items = this.document.kindAt(at) === 'array' ? this.document.items(at) : null;
    if (items === null) this.refuse(path, `${this.place(path)} must be a list of values`);
    else if (operator === '$in' && items.length === 0) {
      this.refuse(path, `${this.place(path)} must have at least one value: none would match nothing`);
    }
    this.values += items?.length ?? 0;
    return this.oneOf(items ?? []);
  }

  private compared(operator: string, at: number, path: Path): Test {
    const kind = this.document.kindAt(at);
    const edge = EDGES.find((one) => one === operator);
    if (edge !== undefined) {
      if (kind !== 'string') this.refuse(path, `${this.place(path)} must be a string`);
      return { kind: 'edge', operator: edge, text: kind === 'string' ? this.document.stringAt(at) : '' };
    }
    if (kind !== 'number' && kind !== 'string') {
      this.refuse(path, `${this.place(path)} must be a number or a string`);
    }
    const order = ORDERS.find((one) => one === operator) ?? '$gt';
    return { kind: 'order', operator: order, than: this.valueAt(at) };
  }

  private oneOf(items: readonly number[]): Test {
    const values = items.map((at) => this.valueAt(at));
    const free = { left: Infinity };
    const keys = values.map((value) => scalarKey(value, free));
    return {
      kind: 'one_of',
      scalars: new Set(keys.filter((key) => key !== null)),
      others: values.filter((_value, n) => keys[n] === null),
    };
  }

  private valueAt(at: number): JsonValue {
    return { document: this.document, at };
  }
}

interface Field {
  readonly path: string;
  readonly names: readonly string[];
}

function negatedIf(isNegated: boolean, condition: Condition): Condition {
  return isNegated ? { kind: 'not', of: condition } : condition;
}

function shown(name: string): string {
  return name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name;
}
