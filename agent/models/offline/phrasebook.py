"""The phrases that the grammar knows, by what they say."""


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


HAVE = _phrases(
    """has | have | having | contains | contain | includes | include | consists of | consist of
    | should have | must have | needs | need | should include | can have | must include |
    should contain | comes with | come with | will have | may have | is made of | are made
    of | stores | store | holds | hold | needs to have | with | should store | has these
    fields | has the following fields | have the following fields | have these fields |
    could have | also has | also have | should also have | got | needs the following fields
    | is described by | is defined by | containing | consisting of | has fields | have
    fields | has the fields | have the fields | including | carries | must also have | has
    got | need to have | has the following attributes | tracks | has attributes | have
    attributes | records | should hold | must contain | keeps | has properties | have the
    attributes | is composed of | requires | require | can hold | can contain | may contain
    | could contain | can include | may include | may hold | can store | can also have |
    might have"""
)

BELONGS = _phrases(
    """belongs to | belong to | belonging to | lives in | live in | living in | is part of |
    are part of | is in | are in | sits in | sit in | is grouped in | are grouped in | are
    grouped into | is grouped into | are grouped by | are organized in | is inside | are
    organised in | are organized into | go in | goes in | go into | goes into | are stored
    in | is stored in | are kept in | is kept in | is linked to | are under | are linked to
    | is attached to | are attached to | refers to | refer to | is under | references |
    reference | is associated with | are associated with | are inside | is tied to | are
    tied to | must belong to | should belong to | is a child of | are children of | falls
    under | fall under | is filed under | are filed under | has to belong to | have to
    belong to | is made for | are made for | always belongs to | always belong to | are
    organized by | is for | are for | is assigned to a | is on | are on | hangs off |
    relates to | relate to | is connected to | are connected to | are organized inside | are
    grouped inside | are contained in | is contained in | that belongs to | that belong to |
    which belongs to | which belong to | sit inside | sits inside | live inside | lives
    inside | attached to | linked to | also belongs to | needs to belong to | need to belong
    to | are placed in | is placed in | are sorted into"""
)

MAY_BELONG = _phrases(
    """can belong to | may belong to | could belong to | optionally belongs to | can be in |
    optionally belong to | may be in | can live in | may live in | can be put in | can be
    linked to | may be linked to | can be attached to | can be assigned to a | might belong
    to | can optionally belong to | can be placed in | may optionally belong to | can be
    part of | may be part of | can be grouped in | can be grouped into"""
)

MANY = _phrases(
    """many | multiple | several | any number of | one or more | zero or more | lots of | a
    number of | some | 0 or more | 0..n | a collection of | as many | a set of | a series of
    | various | a few"""
)

FOR_EACH = _phrases(
    """for each | for every | in each | in every | within each | inside each | on each | per"""
)

MOVED = _phrases(
    """can be moved | may be moved | should be movable | must be movable | are movable | can move |
    should be moveable | must be moveable"""
)
ELSEWHERE = _phrases(
    """to another | to a different | into another | into a different | to any other | to other |
    to different | between | between different | between my | across | into other"""
)
WORKS = _phrases(
    """must work | should work | has to work | needs to work | must be possible |
    should be possible | is possible | must be allowed | should be allowed | is allowed | works"""
)

NESTED = _phrases(
    """nested | nested inside each other | nested in each other | nested within each other |
    nested into each other | nested inside one another | nested in one another | arranged in a tree
    | organized in a tree | organised in a tree | nested arbitrarily"""
)
DEPTH = _phrases(
    """to any depth | arbitrarily deep | infinitely | arbitrarily | as deep as you like |
    to any level | deeply | at any depth | to arbitrary depth"""
)

PLACE = _phrases(
    """on | for | of | in | within | inside | under | per | to | inside of | on each | in each
    | for each | of each | attached to | linked to | connected to | related to | on every |
    in every | for every"""
)

FIELDS_OF = _phrases(
    """fields | attributes | columns | properties | the following fields | these fields | the
    fields | following fields | fields : | the following attributes | its fields | the
    following columns | these attributes | these columns | data | the following properties |
    these properties | the following | attributes :"""
)

RELATIVE = _phrases(
    """that | which | where each | where they | where it | each | each one | they"""
)

IS_COPULA = _phrases(
    """is | are | must be | should be | has to be | have to be | can be | may be | must |
    should | is a | are a | can | will be | is always | needs to be | is an | must have |
    should have | can have | has | have | can only be | must always be | must not | cannot |
    should not | can't | is either | can be either | also"""
)

NOTHING = _phrases(
    """no project yet | no backend yet | no code yet | there is no project yet | nothing yet |
    nothing else | that is all | that's all | that's it | for the usual | a new project | no
    project | an existing project | a new backend | a hackathon project | keep it simple |
    keep the rest as it is | do not change anything else | nothing fancy | don't change
    anything else | leave the rest as it is | leave everything else unchanged | stay organized |
    stay organised | stay on top of things | keep things organized | keep things organised |
    be more organized | be more organised | get organized | get organised | be more productive"""
)

GENERIC = _phrases(
    """list | lists | the list | the lists | results | the results | listing | listings | list
    endpoint | the list endpoint | them | it | my list | all lists | list endpoints | the
    list endpoints | all list endpoints | list results | list view | output | the listing |
    every list | each list | all of them | their list | list route | the list route | get
    endpoint | the get endpoint | these lists | everything"""
)

SUPPORT = _phrases(
    """support | supports | needs | should support | must support | have | has | having |
    should have | with | add | including | include | and | allow | offer | provide"""
)

SEARCHES = _phrases(
    """in | by | on | over | across | through | within | for | using | in the fields | in both
    | by the | inside | of | in their | in its | by their | by its | via"""
)

PAGINATES = _phrases(
    """pagination | paging | paginate | paginated | paginates | in pages | page by page | split
    into pages | come in pages | returned in pages | paginated list | paged"""
)

# Which end of an order comes first, besides a plain "ascending".
GREATEST_FIRST = _phrases(
    """descending | desc | in descending order | descending order | highest first | largest first |
    biggest first | in reverse order | from high to low | high to low | longest first | most
    expensive first | ( descending ) | ( desc ) | best first"""
)
SMALLEST_FIRST = _phrases(
    """ascending | asc | in ascending order | ascending order | lowest first | smallest first |
    from low to high | low to high | shortest first | cheapest first | ( ascending ) | ( asc ) |
    by default | alphabetically | in alphabetical order | a to z"""
)
NEWEST_FIRST = _phrases(
    """newest first | latest first | most recent first | newest tasks first | newest at the top |
    newest ones first | newest on top | newest entries first | most recent at the top | from
    newest to oldest | newest to oldest"""
)
OLDEST_FIRST = _phrases(
    """oldest first | oldest ones first | oldest at the top | oldest on top | earliest first |
    soonest first | from oldest to newest | oldest to newest"""
)

PAGINATION_DETAILS = _phrases(
    """for it | for that | for them |
    with | and | , and | , | including | that includes | that returns | using | which
    includes | showing | which returns | and return | and includes | by | returning | that
    include | along with | plus | that shows | with both"""
)

PAGINATION_DETAILS_2 = _phrases(
    """total count | total | totals | total number | total number of items | count | total
    number of results | total number of rows | total number of tasks | total counts | total
    in the response | limit and offset | limit / offset | limit / offset parameters | limit
    and offset parameters | total row count | number of all rows | total amount | total
    count in the response | total count of results | total count of items | total items |
    overall count | offset and limit | skip and limit | total number of records | item count
    | limit and offset query parameters | number of results"""
)

DIRECTION = _phrases(
    """ascending or descending | ascending and descending | asc or desc | asc / desc |
    ascending / descending | both directions | either direction | asc and desc | ascending
    or descending order | both ascending and descending order | both orders | both ascending
    and descending | directions"""
)

BELONGS_TO_USER = _phrases(
    """belongs to | belong to | belonging to | is owned by | are owned by | owned by | scoped
    to | linked to | tied to | are linked to | are tied to | is tied to | must belong to |
    should belong to | per | is linked to | for each | for every | are private to | is
    private to | private to | isolated per | isolated by"""
)

USER_PHRASE = _phrases("""the | a | an | their | its | each | every | one | exactly one""")

USER_PHRASE_2 = _phrases(
    """signed-in | logged-in | current | authenticated | signed in | logged in | own |
    currently signed-in | currently logged-in"""
)

ME = _phrases(
    """me endpoint | me route | current user endpoint | current-user endpoint | endpoint | who
    am i endpoint | whoami endpoint | route | / me endpoint | signed-in user endpoint"""
)

RETURNS_USER = _phrases(
    """should return | must return | which should return | returns | returning | return | gives |
    shows | get | getting | give | show | gives me | see | tells me | returns me | fetch |
    fetching | answers with | responds with | reading | read | with"""
)

RETURNS_USER_2 = _phrases(
    """signed-in user | signed in user | logged-in user | logged in user | current user |
    authenticated user | user | current user's profile | signed-in user's profile |
    signed-in user's data | current user's data | signed-in user's details | profile |
    current user's details | logged-in user's profile | authenticated user's profile | user
    that is signed in | user who is signed in | user's profile | own profile | user profile
    | currently signed-in user | currently logged-in user | current user's information |
    current user's info | signed-in user's info | currently authenticated user | account of
    the signed-in user | profile of the signed-in user | profile of the current user |
    caller"""
)

FEATURE_INTRO = _phrases(
    """can be | should be | must be | is | are | needs to be | need to be | be | needs | need |
    supports | support | should support | must support | has | have | should have | must
    have | with | should allow | allows | offers | needs to support | can also be | should
    also support | should offer | provides | should also be | also needs | should come |
    comes | come | should be able to | must allow | needs to have | also supports | to be |
    should come with"""
)

REQUIRED = _phrases(
    """required | mandatory | not null | compulsory | non-null | not nullable | not empty |
    non-empty | not optional | not blank | non-blank | obligatory | must be given | must be
    set | must not be empty | must be present | not be empty | cannot be empty | can't be
    empty | cannot be blank | can't be blank | not be blank | cannot be null | must not be
    null | can't be null | must not be blank | be given"""
)

OPTIONAL = _phrases(
    """optional | nullable | not required | not mandatory | can be empty | may be empty | can
    be null | may be null | null ok | can be left out | may be left out | be empty | can be
    omitted | may be omitted | or null | or none | if any | can be blank | may be missing |
    can be missing | be left out | be omitted | be null | be missing | is optional |
    optionally | if known | when known | not needed | non-mandatory"""
)

AT_LEAST = _phrases(
    """at least | minimum | minimum of | min | min of | minimum length | minimum length of |
    min length | min length of | not less than | no less than | no fewer than | >= | not
    fewer than | a minimum of | minimum value | minimum value of | min value | from | not
    below | starting at | no shorter than | not shorter than | no lower than | with a
    minimum of | with at least | with a minimum length of | of at least | > = | have at
    least | has at least | min : | minimum : | min = | a minimum length of | can't be less
    than | cannot be less than | must not be less than | can't be shorter than | cannot be
    shorter than | must not be shorter than | cannot be below | can't be below | must not be
    below | not be less than | not be below"""
)

AT_MOST = _phrases(
    """at most | up to | maximum | maximum of | max | max of | maximum length | max length |
    maximum length of | max length of | no more than | not more than | <= | limited to | a
    maximum of | no longer than | not longer than | maximum value | max value | not over |
    maximum value of | not above | no greater than | not exceed | not exceeding | until |
    with up to | with at most | with a maximum of | with a maximum length of | of up to | of
    at most | of max | with max | with a max length of | must not exceed | < = | not be
    longer than | not be more than | have at most | has at most | be at most | cannot exceed
    | can't exceed | max : | maximum : | max = | with no more than | limit | limit of |
    capped at | not to exceed | a max of | a maximum length of | can't be longer than |
    cannot be longer than | may not be longer than | must not be longer than | can't be more
    than | cannot be more than | may not exceed | should not exceed | must not be more than
    | not be above | can't be above | cannot be above | should not be longer than | has a
    maximum length of | have a maximum length of | has a maximum of | is limited to | are
    limited to | must be no longer than"""
)

ABOVE = _phrases(
    """more than | greater than | above | over | larger than | bigger than | > | longer than |
    be more than | be greater than | be longer than | be above | be over"""
)

BELOW = _phrases(
    """less than | under | below | smaller than | fewer than | shorter than | < | be less than
    | be below | be under | be shorter than"""
)

ONE_OF = _phrases(
    """one of | one of : | either | enum | enum of | enum : | choice of | choices : | choices |
    values | values : | options | options : | with values | with options | with choices |
    allowed values | allowed values : | with the values | with the options | being one of |
    out of | any of | a choice of | choice between | choose from | selected from | chosen
    from | from the list | with the choices | chosen among | an enum of | an enum with |
    enum with | enum with values | with possible values | possible values : | possible
    values | with the possible values | a choice between | an enum with values | with
    allowed values | a choice from | one of these | among"""
)

DEFAULT = _phrases(
    """default | defaults | defaults to | defaulting to | default to | default is | default : |
    default of | defaulted to | default value | default value of | default value is | with
    default | with default value | with a default of | with a default value of | and
    defaults to | which defaults to | that defaults to | by default | default = | = | with
    the default | with a default | default value : | whose default is | initially | starting
    as | starts as | and default to | set to | and is | defaults : | with default of | the
    default is | should default to | starting at | be by default | starts at | starting with
    | preset to | pre-set to"""
)

AS_TYPE = _phrases("""as | of type | of the type | type | type : | : | typed as | stored as""")

RANGE = _phrases(
    """from | between | in the range | in the range of | ranging from | : | range | on a scale
    of | on a scale from | in range | of | with range | a scale of | with a range of | a
    value between | a number between | a number from | must be"""
)

POLITE = _phrases(
    """can i have | could i have | can i get | may i have |
    as a user | as a developer | please | kindly | hi | hello | hey | hi there | hello there
    | thanks | thank you | thanks in advance | can you | could you | would you | will you |
    can we | could we | can you please | could you please | would you mind | i need you to |
    i want you to | i need to | i want to | i'd like to | i would like to | i'd like you to
    | we need to | i would like you to | we want to | we'd like to | we would like to | i
    need | i want | we need | we want | i'd like | i would like | we'd like | help me | help
    me to | let's | let us | go ahead and | now | next | first | finally | also | then |
    just | so | ok | okay | well | there should be | there must be | there is | there are |
    i have to | i'm building | i am building | we are building | we're building | i'm
    working on | i am working on | this is | it is | it's | make sure | ensure | make sure
    that | ensure that | i'm looking for | i am looking for | we are looking for | your task
    is to | the goal is to | the task is to | i'm making | i am making | but | try to | in
    this project | for this project | would be nice | and | i'm creating | i'd also like | i
    also need | i also want | we also need | we also want | i also need to | it should have
    | it must have | it should also have | it needs | it needs to have | start by | begin by
    | the following | as follows | like this | where | in which | make it so that | make it
    so | make it so users | the idea is that | the idea is | basically | ideally | what i
    need is | what i want is | all i need is | let me have | please also | it should let |
    i'd love | i'd love to have | thanks a lot | many thanks | thanks so much | thx | cheers |
    much appreciated | thank you so much | i've got to | i have got to | as an owner | good morning
    | good afternoon | dear team | hiya | pls | plz | hi all | hi team | we have to | i'll need |
    we'll need | i will need | we will need | i'd be happy to have | if you can | if you could"""
)

ABILITY = _phrases(
    """i can | we can | you can | they can | users can | user can | the user can | a user can |
    each user can | every user can | people can | clients can | the client can | the
    frontend can | i should be able to | users should be able to | the user should be able
    to | a user should be able to | we should be able to | each user should be able to |
    users must be able to | i must be able to | i want to be able to | i need to be able to
    | users need to | users want to | users may | a user may | it should be possible to | it
    must be possible to | allow | make it possible to | allow me to | allow users to | allow
    the user to | allow us to | let me | let users | let us | let the user | lets me | lets
    users | lets us | enable users to | enable me to | support for | support | enable |
    allows me to | allows users to | allows | be able to | able to | want to | can | should
    be able to | which lets users | that lets users | that lets me | that allows users to |
    must be able to | so that i can | so i can | so users can | so that users can | where
    users can | where i can | we should | users should | for users to | let each user | so
    we can | users will be able to | signed-in users can | logged-in users can | it should |
    i'd like to be able to | i would like to be able to | the signed-in user can | that lets
    you | authenticated users can | letting users | for users who want to | the user can
    also | users can also | i can also | people should be able to"""
)

TAILS = _phrases(
    """cheers | thx | many thanks | thanks a lot | for it | for that | for them |
    for me | for us | please | too | as well | thanks | thank you | at once | asap | from
    scratch | as usual | properly | that's it | that's all | if possible | for now | in one
    go | to begin with | to start with | as always | right away | in the database | in a
    database | in the backend | each | respectively | thank you very much | in the api | out
    of the box | to start | with proper error handling | with error handling | with
    validation | with input validation | with proper validation | with type hints | with
    proper status codes | with docstrings | following best practices | with
    best practices | with the usual fields | with the default fields | and so on | with
    sensible defaults | with sensible fields | with default fields | with full crud | with
    crud | with all crud operations | with crud operations | with crud endpoints | with the
    usual endpoints | with the usual crud endpoints | with standard fields | with all
    endpoints | with full crud support | with crud routes | with crud support | with proper
    foreign key relationships | with foreign keys | with the proper foreign keys | with
    schemas | with models and schemas | with schemas and routes | with routes"""
)

AGENT_HEADS = _phrases(
    """ai agent endpoint | agent endpoint | agent route | ai endpoint | assistant endpoint | ai
    agent | agent | agents endpoint | agentic endpoint | smart endpoint | agent api | ai
    assistant endpoint | agent endpoints | agent api endpoint | endpoint"""
)

FIELD_CALLED = _phrases(
    """field called | field named | fields called | fields named | column called | column named
    | columns called | columns named | attribute called | attribute named | property called"""
)

OTHER_FIELDS = _phrases(
    """everything else | everything | all other fields | the other fields | other fields | the
    rest | all others | the remaining fields | all fields | all of them | the others | all
    the fields | all the other fields | the rest of the fields | every other field | both |
    all of these"""
)
