"""The words that the grammar knows, by the part that they play."""

from agent.models.offline.blueprint import FieldKind
from agent.models.offline.nouns import word_set

DETERMINERS = word_set(
    """a an the each every all any some my our your their his her its this these those user's
    users' own new existing following current respective"""
)

# Adjectives that ask for nothing beyond what every backend gets.
PRAISE = word_set(
    """simple basic full complete small secure robust proper standard usual typical nice clean
    restful rest python fastapi sqlmodel postgres postgresql quick little minimal modern great good
    production-ready production ready fully-featured full-featured well-structured typed private
    personal web http json little user-owned owner-scoped authenticated protected working tiny
    fresh brand-new very whole entire fully functional production-grade secured"""
)

# What is built, as against what it is about.
HEADS = word_set(
    """api apis crud backend backends service services server endpoint endpoints route routes
    router routers resource resources model models table tables entity entities operation
    operations functionality system module modules app apps application applications code files
    schema schemas database db layer tracker trackers tracking manager management organizer
    organiser planner platform logger microservice tool handlers feature features"""
)
# Heads that stand for a whole application: the noun before them need not be a resource.
APP_HEADS = word_set(
    "app apps application applications system platform backend service server microservice tool"
)

BUILD_VERBS = word_set(
    """add create build make generate implement write develop design scaffold give need want
    produce provide expose prepare define introduce include support have bootstrap code set setup
    construct deliver extend needs offer provides gimme"""
)

OPERATIONS = word_set(
    """create creating read reading update updating delete deleting list listing add adding edit
    editing remove removing get getting fetch fetching view viewing see seeing show showing manage
    managing manages track tracking tracks organize organizing organise organising store storing
    stores save saving saves keep keeping record recording records log logging change changing
    modify modifying browse browsing retrieve retrieving maintain maintaining handle handling
    handles write writing collect collecting enter entering post put patch replace replacing plan
    planning crud"""
)

# Words that never stand inside a name.
STOP = DETERMINERS | word_set(
    """with without has have having had that which who whom whose where when while if unless by in
    on for from to of at as into onto per via using use uses and or but nor is are be been being
    was were am can could should must may might will would shall do does did doesn't don't not no
    never cannot can't isn't aren't won't shouldn't i you he she we they it me him them us so
    because than only just between within inside under among plus also then too belongs
    belong belonging filter filters filtering filtered filterable search searches searching
    searched searchable sort sorts sorting sorted sortable ordered ordering paginate paginated
    pagination paging paginates optional required mandatory default defaults defaulting defaulted
    up max min maximum minimum please each etc one either both neither named called supports support
    supporting needs need needed requires require requiring allows allow allowing lets let live
    lives living contain contains containing consist consists consisting includes include
    including plus there here crud api apis endpoint endpoints pagination i'd i'm we'd
    let's it's there's many several multiple such along together instead except don't yes unlike
    about after before again every everything anything nothing nobody anyone everyone someone
    works work run runs returns return returning nullable your yourself i've
    another optionally always usually typically normally currently actually really simply basically
    whether greater larger bigger smaller fewer lower higher longer shorter"""
)

TYPES: dict[str, FieldKind] = {
    phrase: kind
    for kind, phrases in {
        FieldKind.TEXT: "text|string|str|short text|varchar|short string|single line|text string|"
        "line of text|plain text|free text|char",
        FieldKind.LONG_TEXT: "long text|longtext|multiline text|multi-line text|paragraph|textarea|"
        "text area|multiline|multi-line|long string|long-text|markdown text",
        FieldKind.INTEGER: "whole number|integer|int|number|whole-number|whole numbers|numeric|"
        "integer number|count|natural number",
        FieldKind.DECIMAL: "decimal|float|double|decimal number|real number|number with decimals|"
        "floating point number|floating-point number|fractional number",
        FieldKind.MONEY: "money|currency amount|monetary amount|amount of money|monetary value|"
        "money amount|price",
        FieldKind.BOOLEAN: "yes/no|yes / no|yes-no|boolean|bool|flag|true/false|true / false|"
        "true-false|checkbox|toggle|yes or no|true or false|y / n|on / off|switch",
        FieldKind.DATE: "date|calendar date|day|date only|date without time",
        FieldKind.DATETIME: "date-time|datetime|timestamp|date and time|date / time|date time|"
        "point in time|moment|date with time|date & time|time stamp",
        FieldKind.URL: "url|link|uri|web address|web link|http url|hyperlink|weblink",
        FieldKind.EMAIL: "email|email address|e-mail|e-mail address|mail address|email-address",
        FieldKind.TEXT_LIST: "list of text|list of texts|list of strings|array of strings|"
        "array of text|text list|strings|list of string|list [ str ]|list [ string ]|texts|"
        "string list|string array|text array|list of words|array of texts|list of tags|"
        "list of short texts",
    }.items()
    for phrase in phrases.split("|")
}

# Types that may stand before or behind a name without further words: "boolean completed".
PURE_TYPES = word_set(
    """string str integer int boolean bool decimal float double varchar datetime timestamp
    date-time"""
)
BOOLEAN_TAILS = word_set("flag checkbox toggle switch")
NAME_TAILS = word_set("field fields column columns property attribute value values")

# Heads of names such as "number of pages" and "date of birth".
OF_HEADS = word_set(
    """number date place country point time name type kind year amount count cost source method
    level unit rate length state title month day size language"""
)

UNITS = word_set(
    """seconds minutes hours days weeks months years grams kg kilograms pounds lbs km kilometers
    kilometres miles meters metres cm centimeters mm inches feet percent litres liters ml
    millilitres kcal calories usd eur gbp euros dollars cents degrees celsius fahrenheit mb gb kb
    bytes watts"""
)
LENGTH_UNITS = word_set("character characters char chars letter letters symbol symbols")

USERS = word_set(
    """user users owner owners person-signed-in signed-in-user account-holder user's users"""
)

# Things that lie outside what the model can do, by the stem that a word must start with or equal;
# the sentence says what is meant and, where there is one, the way out.
OUTSIDE: dict[str, str] = {
    phrase: reason
    for phrases, reason in {
        "share|shared|sharing|shares|collaborate|collaborative|collaboration|collaborators|"
        "collaborator|invite|invites|invited|invitation|invitations": (
            "Sharing between users is outside the range: every row belongs to one user."
        ),
        "upload|uploads|uploading|uploaded|file|files|attachment|attachments|attach|image|images|"
        "photo|photos|picture|pictures|video|videos|s3|blob": (
            "Files and uploads are outside the range; a url field can hold a link."
        ),
        "websocket|websockets|realtime|real-time|live|streaming|stream|sse|push|chatroom": (
            "Connections that stay open are outside the range."
        ),
        "soft|soft-delete|soft-deletes|restore|restoring|restored|undelete|trash|recycle|undo|"
        "archive|archiving|unarchive|pin|pinning|unpin": (
            "Deleting is final, and there are no actions besides the six CRUD endpoints; "
            "a yes/no field such as 'archived' or 'pinned' can be filtered by."
        ),
        "export|exports|exporting|exported|csv|pdf|excel|xlsx|import|imports|importing|ical": (
            "Import and export are outside the range."
        ),
        "streak|streaks|statistics|statistic|stats|analytics|report|reports|reporting|dashboard|"
        "dashboards|chart|charts|graph|graphs|aggregate|aggregates|aggregation|aggregated|sum|"
        "sums|average|averages|totals|metrics|insights|leaderboard|progress|breakdown": (
            "Computed figures are outside the range."
        ),
        "nested|nest|nesting|recursive|recursively|tree|hierarchy|hierarchical|subfolders|"
        "subfolder|self-referencing|threaded|sub-folders": (
            "Rows that contain rows of their own kind are asked for as in 'folders can be nested'."
        ),
        "many-to-many|m2m": "A row can belong to one parent of a kind, not to many.",
        "stripe|paypal|checkout|billing|subscription|subscriptions|payments|payment|"
        "pay|charge|refund|refunds": "Payments are outside the range.",
        "notify|notification|notifications|notifies|newsletter|smtp|sms|twilio|sendgrid|"
        "webhook|webhooks|reminders|alert|alerts|slack|send|sends|sending|sent|mailer|digest": (
            "Messages to people and other services are outside the range."
        ),
        "admin|admins|administrator|administrators|superuser|moderator|moderators|role|roles|"
        "permission|permissions|rbac|acl|team|teams|organization|organizations|organisation|"
        "organisations|tenant|tenants|multi-tenant|workspace|workspaces|staff-only|guest|guests": (
            "There are no roles and no groups: a row's owner, and nobody else, can reach it."
        ),
        "public|publicly|anonymous|anonymously|unauthenticated|everybody|everyone|anyone|"
        "others|all-users": "Every row is private to its owner.",
        "graphql|grpc|soap|trpc|xml|protobuf": "The API is REST with JSON.",
        "background|celery|cron|queue|queues|worker|workers|scheduler|scheduled|schedule|"
        "rabbitmq|kafka|asynchronously|async|asynchronous|periodic|periodically|nightly": (
            "Background work and async database access are outside the range."
        ),
        "mongodb|mongo|mysql|mariadb|sqlite|dynamodb|firebase|firestore|supabase|redis|"
        "elasticsearch|oracle|cassandra|nosql|django|flask|express|node|nodejs|prisma|java|"
        "spring|rails|php|laravel|golang|rust|nestjs|dotnet|tortoise|beanie|alembic|memcached": (
            "The backend is FastAPI and SQLModel on PostgreSQL."
        ),
        "frontend|front-end|react|vue|angular|svelte|next|nextjs|html|css|javascript|typescript|"
        "ui|page-design|webpage|screen|screens|mobile|flutter|swift|website": (
            "Only the backend is written."
        ),
        "login|log-in|logout|register|registration|signup|sign-up|signin|sign-in|password|"
        "passwords|oauth|oauth2|sso|saml|2fa|mfa|otp|cookies|cookie|auth0|clerk|firebase-auth": (
            "Better Auth signs users up and in; where a backend shall do so itself, choose "
            "`--auth own`."
        ),
        "docker|dockerfile|docker-compose|kubernetes|deploy|deployment|terraform|aws|azure|gcp|"
        "heroku|vercel|ci|pipeline|pipelines|migration|migrations|tests|unit-tests|pytest": (
            "Only the backend's own source files are written."
        ),
        "llm|llms|gpt|chatgpt|openai|claude|gemini|embedding|embeddings|vector|semantic|"
        "machine-learning|ml|chatbot": (
            "Agent endpoints are plain business logic and call no language model."
        ),
        "full-text|fulltext|fuzzy|autocomplete|elastic": (
            "Search looks for a piece of text, whatever its case."
        ),
        "recurring|recurrence|repeating|repeat|repeats|versioning|versions|history|audit|"
        "revisions|changelog": "Repeating rows and their history are outside the range.",
        "bulk|batch|duplicate|duplicates|clone|merge|reorder|drag|like|likes|vote|votes|voting|"
        "follow|followers|following|rank-by": (
            "There are no actions besides the six CRUD endpoints."
        ),
        "unique|uniqueness|distinct": "Uniqueness is not checked.",
        "encrypt|encrypted|encryption|hash|hashed|cache|caching|cached|translate|translated|"
        "geolocation|maps|convert|conversion|sync|synchronize|synchronise|integrate|integration|"
        "scrape|crawl|calculate|calculates|calculated|compute|computed|computes|automatically|"
        "automatic|validate|encrypts|throttle|throttling": (
            "Data that is computed, converted, encrypted, cached or fetched is outside the range."
        ),
    }.items()
    for phrase in phrases.split("|")
}

# Words of OUTSIDE that are sound names of fields on their own.
SOFT_OUTSIDE = word_set(
    """role progress page average total rank mobile team organization organisation guests refund
    payment history votes likes sum report live screen next oracle archived website score
    recurrence subscription invitation totals metrics"""
)
# Last words that make a name of what they stand behind: "image url", "payment date".
NAMEABLE_HEADS = word_set(
    """url link date name number count type method status size time at id code address level title
    label price cost amount note notes day description text key path length duration category
    author color colour height width quality score goal comment reason kind flag value format"""
)
# Words of OUTSIDE that are sound names of resources where CRUD or fields are asked for.
SOFT_RESOURCES = word_set(
    """payment subscription team report vote like reminder organization organisation guest schedule
    alert chart screen queue version test pipeline workspace invitation refund worker migration
    page follower role insight metric graph image photo picture video progress pin share charge
    website history subscriptions notification"""
)

# Words of the grammar that a slip of the pen may be meant for.
KEYWORDS = word_set(
    """filter filtering sort sorting search searching paginate pagination crud endpoint endpoints
    resource belongs belong required optional default defaults between characters maximum minimum
    boolean integer decimal money date datetime email text whole number create build generate
    authentication agent suggest summarize summarise limit minute fields priority"""
)

# Words of OUTSIDE that promise something whatever stands behind them.
PROMISES = word_set(
    """unique encrypted hashed cached computed calculated automatic automatically nested shared
    recursive recurring scheduled full-text fulltext real-time realtime public anonymous distinct
    exported translated aggregated geolocation"""
)

# What is said of a database's column; no value where it stands among some.
COLUMN_WORDS = word_set("unique uniqueness indexed primary_key foreign_key auto_increment")

# Words in "-ing" that name things; any other one as a field's last word is something to be done.
GERUND_NOUNS = word_set(
    """rating meeting setting heading building spelling meaning ranking listing booking reading
    training string thing parking pricing shipping billing landing opening recording drawing
    painting ceiling spring king ring wing evening morning timing saving spending earning wording
    greeting clothing feeling finding seating standing warning holding offering housing engraving
    sibling topping filling stuffing bedding wedding funding lighting flooring heating cooking
    running swimming closing beginning ending blessing crossing dwelling earring gathering hearing
    outing packing plumbing pudding serving scoring shopping sailing writing coating mapping
    savings seedling darling duckling bearing casing fitting grading binding wiring"""
)

# Words that stand over a list and are no resources.
FIELD_HEADERS = word_set("fields attributes columns properties data")
RESOURCE_HEADERS = word_set(
    "resources models entities tables collections objects schema resource model entity table"
)
OTHER_HEADERS = word_set(
    """features requirements endpoints functionality relations relationships filters filtering list
    lists search sorting routes details api listing rules constraints also extras behaviour
    behavior auth authentication security specification spec overview needs"""
)
LIST_HEADERS = FIELD_HEADERS | RESOURCE_HEADERS | OTHER_HEADERS

# Parts of every program; resources only where CRUD or fields are asked for.
TECHNICAL = word_set(
    """code file structure doc documentation docstring hint type error header constraint index
    relationship relation test handler setting config configuration variable dependency validation
    validator check logging monitoring caching handling log security performance version function
    method class middleware utility helper improvement change update fix bug-fix feature
    comment-line way option parameter response request body status-code best-practice support limit
    limiting rate word field column key value list query action health health_check status
    ping summary overview dashboard uptime root home index audit debug info metadata statistics"""
)

# Heads that surely ask for a resource of that name.
STRONG_HEADS = word_set("crud resource resources model models table tables entity entities")
# Heads that a resource's name does not come with: "a health check endpoint".
WEAK_HEADS = word_set("endpoint route feature features module modules service handlers code layer")
