-- AlterTable
ALTER TABLE "teams" ADD COLUMN     "imageRetention" JSONB;
