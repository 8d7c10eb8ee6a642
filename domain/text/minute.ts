/** A moment in ISO 8601 to the minute: `2026-09-01 12:00 UTC`. */
export function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
