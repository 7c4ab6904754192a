//! `stheno groups delete`

use anyhow::Result;

use crate::exit::{Exit, failure};
use crate::remote::ask;
use crate::remote::connection::Shop;
use crate::remote::ids::{self, Ids};
use crate::remote::interruption::watched;
use crate::remote::output::Output;
use crate::remote::show::not_found;
use crate::remote::undone::{self, Undone};
use crate::remote::{count, note, progress};

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{}\n\n{}", ids::RULE, undone::RULE))]
pub(crate) struct Arguments {
    #[command(flatten)]
    ids: Ids,

    /// Delete without asking; needed where there is no terminal to ask at
    #[arg(short, long)]
    yes: bool,

    /// Only look which groups there are, and say what would be deleted
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(shop: &Shop, arguments: Arguments, output: Output) -> Result<()> {
    let Arguments { ids, yes, dry_run } = arguments;
    let ids = ids.read()?;
    let total = ids.len();
    let groups = shop.groups();
    let mut found = Vec::new();
    let mut missing = Vec::new();
    let bar = progress::bar(total, "looking");
    for id in ids {
        // The API calls it a success to delete what is not there; who names a group means one that is.
        match groups.retrieve(&id).optional().await.map_err(|error| shop.explain(&error))? {
            Some(group) => found.push(group.into_body()),
            None => missing.push(id),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();

    let mut undone = Undone::default();
    undone.extend(missing.iter().cloned(), "not found");
    let what = match found.as_slice() {
        [group] => format!("the group {} ({})", group.name, group.id),
        found => count(found.len(), "group"),
    };
    if found.is_empty() || dry_run {
        if dry_run {
            note(&format!("Would delete {what}"))?;
        }
        undone.write(output)?;
        return not_found(&missing, total, "group");
    }
    ask::confirm(&format!("Delete {what} at {}?", shop.url()), yes)?;

    let bar = progress::bar(found.len(), "deleting");
    let mut deleted = 0;
    let ended = watched(async {
        for group in &found {
            groups.delete(&group.id).await?;
            deleted += 1;
            bar.inc(1);
        }
        Ok(())
    });
    let ended = ended.await;
    bar.finish_and_clear();
    undone.extend(found.into_iter().skip(deleted).map(|group| group.id), "not deleted");
    undone.write(output)?;
    match ended {
        Ok(()) if deleted == 1 => note(&format!("Deleted {what}"))?,
        Ok(()) => note(&format!("Deleted {}", count(deleted, "group")))?,
        Err(stop) => {
            let explained = stop.explain(shop);
            let exit = if deleted == 0 { Exit::of(&explained) } else { Exit::PartlyDone };
            return Err(failure(
                exit,
                format!("{deleted} of {} were deleted: {explained}", count(total, "group")),
            ));
        }
    }
    not_found(&missing, total, "group")
}
