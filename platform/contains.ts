/** Matches text that has this in it, in whatever case. Prisma hands `%` and `_` on as wildcards; here they are letters. */
export function contains(text: string): { contains: string; mode: 'insensitive' } {
  return { contains: text.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' }
}
