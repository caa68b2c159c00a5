/**
 * `--import`ed into a worker: its wall clock is off by CLOCK_OFFSET_MS, and every SIGUSR2 steps it to the other side, as
 * a bad time server would. Durations (`performance.now`) go on as they were, as they do on a real machine.
 */
const RealDate = Date;
let offsetMs = Number(process.env.CLOCK_OFFSET_MS ?? 0);

class ShiftedDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...args);
  }

  static now() {
    return RealDate.now() + offsetMs;
  }
}
globalThis.Date = ShiftedDate;

process.on('SIGUSR2', () => {
  offsetMs = -offsetMs;
});
