/** What another site is told that sent a browser here with its cookies. */
export const foreignSite = 'Another site asked for this with your cookie, so it was not done.'

/**
 * Whether a page of ours sent this. Browsers say where a request comes from; what says nothing does not get a cookie's
 * rights. Apps of the same domain count as strangers: `same-site` is not enough.
 */
export function isFromThisSite(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin'
  const origin = headers.get('origin')
  return origin !== null && URL.parse(origin)?.host === headers.get('host')
}
