import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { NotFoundCard } from './_ui/not-found-card.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('notFound')
  return { title: t('title') }
}

export default function NotFound() {
  return (
    <main>
      <NotFoundCard />
    </main>
  )
}
