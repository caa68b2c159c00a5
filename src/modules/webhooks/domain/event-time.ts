/** When an event happened: its id is a UUIDv7, which begins with the milliseconds. So it is the same at every attempt. */
export function eventTime(eventId: string): Date {
  return new Date(Number.parseInt(eventId.replaceAll('-', '').slice(0, 12), 16));
}
