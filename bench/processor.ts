import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of a process's clock in a second (Linux: `getconf CLK_TCK`, 100 everywhere). */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time that a process has used, with its children when `withChildren`; 0 where there is no /proc. */
export function processorSeconds(pid: number, withChildren = false): number {
  const pids = withChildren ? [pid, ...childrenOf(pid)] : [pid];
  const ticks = pids.map((each) => {
    const fields = fieldsOf(each);
    // utime, stime, and for the parent what ended children have used: fields 14 to 17 of proc(5).
    return fields === null ? 0 : sum(fields.slice(11, withChildren && each === pid ? 15 : 13));
  });
  return sum(ticks) / TICKS_PER_SECOND;
}

/** Resident memory in MiB. */
export function residentMib(pid: number): number {
  try {
    const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => Number(fieldsOf(each)?.[1]) === pid);
}

/** The fields after the name, which may hold spaces: index 0 is the state, 1 the parent. */
function fieldsOf(pid: number): number[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    return null;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
