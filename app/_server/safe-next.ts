/** Where to go after signing in: a path of this site, or `/`. Anything else could lead people to a stranger's page. */
export function safeNext(next: string | null | undefined): string {
  if (next === null || next === undefined || !next.startsWith('/')) return '/'
  const base = 'http://berth.invalid'
  // Browsers read // and /\ as another host, and drop tabs and line ends first, as this parser does.
  const url = URL.parse(next, base)
  // Dots vanish while parsing: /.//evil.example becomes //evil.example.
  if (url === null || url.origin !== base || url.pathname.startsWith('//')) return '/'
  return `${url.pathname}${url.search}${url.hash}`
}
