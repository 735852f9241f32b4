import { rootCertificate } from '../../../platform/certificates/authority.ts'
import { getPlatform } from '../../_server/platform.ts'

export const dynamic = 'force-dynamic'

/** The root that signs certificates for local names, for devices that are to trust it. It is no secret. */
export async function GET(): Promise<Response> {
  return new Response(await rootCertificate(await getPlatform()), {
    headers: {
      'content-type': 'application/x-pem-file',
      'content-disposition': 'attachment; filename="berth-local-authority.pem"',
      'cache-control': 'no-store',
    },
  })
}
