/** What people type as minutes, such as 1.5 or 1,5, in milliseconds; 0, which is refused, for what is no number. */
export function msFromMinutes(text: string): number {
  return Math.round(Number(text.replace(',', '.')) * 60_000) || 0
}
