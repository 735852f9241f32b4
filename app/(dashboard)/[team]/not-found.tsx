import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { NotFoundCard } from '../../_ui/not-found-card.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('notFound')
  return { title: t('title') }
}

/** Inside of the frame, so that one can go elsewhere. A team that isn't there has none: its page is the one above. */
export default function TeamNotFound() {
  return <NotFoundCard />
}
