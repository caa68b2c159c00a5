import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

interface Row {
  readonly figure: string;
  readonly goal: string;
  readonly result: string;
  /** Null: nothing to hold it against. */
  readonly reached: boolean | null;
  /** Who used the processors meanwhile. */
  readonly bound: string;
}

const RESULTS = join(import.meta.dirname, 'results');

/** What was measured, printed as it comes and as a whole in the end. */
export class Table {
  private readonly rows: Row[] = [];

  add(figure: string, goal: string, result: string, reached: boolean | null, bound = ''): void {
    this.rows.push({ figure, goal, result, reached, bound });
    const state = reached === false ? 'short' : 'ok   ';
    process.stdout.write(
      `${state}  ${figure}: ${result} (goal ${goal})${bound === '' ? '' : `; ${bound}`}\n`,
    );
  }

  ratio(figure: string, value: number, goal: number, bound = ''): void {
    this.add(figure, `≥ ${goal.toFixed(2)}`, value.toFixed(2), value >= goal, bound);
  }

  atMost(figure: string, value: number, goal: number, unit: string, bound = ''): void {
    this.add(figure, `< ${goal} ${unit}`, `${value.toFixed(1)} ${unit}`, value < goal, bound);
  }

  told(figure: string, result: string, bound = ''): void {
    this.add(figure, 'told', result, null, bound);
  }

  /** Prints all rows, and writes them with `raw` to a file of their own. */
  report(versions: object, raw: object): void {
    const width = (of: (row: Row) => string): number => Math.max(...this.rows.map((row) => of(row).length));
    const widths = [
      width((row) => row.figure),
      width((row) => row.goal),
      width((row) => row.result),
    ] as const;
    const state = (row: Row): string => (row.reached === null ? '' : row.reached ? 'ok' : 'SHORT');
    process.stdout.write('\n');
    for (const row of this.rows) {
      const cells = [
        row.figure.padEnd(widths[0]),
        row.goal.padEnd(widths[1]),
        row.result.padEnd(widths[2]),
        state(row).padEnd(5),
        row.bound,
      ];
      process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
    }
    mkdirSync(RESULTS, { recursive: true });
    const file = join(RESULTS, `${new Date().toISOString().replaceAll(':', '-')}.json`);
    const machine = { cpus: cpus().length, model: cpus()[0]?.model, platform: process.platform };
    const written = { machine, versions, commit: commit(), rows: this.rows, raw };
    writeFileSync(file, `${JSON.stringify(written, null, 2)}\n`);
    process.stdout.write(`\nWritten to ${file}\n`);
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
