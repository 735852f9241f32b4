/** Reserved for use inside: no public authority signs one (RFC 2606, 6761, 8375, ICANN's .internal). */
export const localEndings = ['localhost', 'test', 'internal', 'home.arpa', 'local', 'lan']

export function isLocalName(name: string): boolean {
  return localEndings.some((ending) => name === ending || name.endsWith(`.${ending}`))
}
