"""A backfill, asked for on the page Status.

In:   the page.
Out:  the job that it began, done. Other tests may have asked for some before.
"""

from playwright.async_api import Page, expect

DONE_WITHIN_MS = 60_000


async def backfilled(page: Page) -> None:
    """Ask for one, and wait until it is done."""
    card = page.get_by_role("region", name="Backfill")
    await card.get_by_role("button", name="Backfill now").click()
    async with page.expect_response("**/api/backfill") as answered:
        await card.get_by_role("button", name="Begin").click()
    begun = await (await answered.value).json()
    job = card.locator(f'[data-job="{begun["id"]}"]')
    await expect(job.get_by_text("done", exact=True)).to_be_visible(timeout=DONE_WITHIN_MS)
