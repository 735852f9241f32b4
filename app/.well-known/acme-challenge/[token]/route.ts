import { acmeAnswer } from '../../../../platform/certificates/acme/challenges.ts'
import { getPlatform } from '../../../_server/platform.ts'

/** What an authority asks for, whatever the name: RFC 8555, 8.3. The edge sends these here before all else. */
export async function GET(_: Request, { params }: { params: Promise<{ token: string }> }): Promise<Response> {
  const answer = await acmeAnswer(await getPlatform(), (await params).token)
  const headers = { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' }
  return answer === null
    ? new Response('Nothing waits for this.\n', {
        status: 404,
        headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' },
      })
    : new Response(answer, { headers })
}
