-- The part of the sandbox that is written in Lua: the global variables of scripts.
local base, libraries = ...
local error, next, pairs, rawset, setfenv = error, next, pairs, rawset, setfenv
local setmetatable, tostring = setmetatable, tostring

local function refuse_global(name)
    error("attempt to create global variable '" .. tostring(name) .. "'", 3)
end

local readers = {}
for name, library in pairs(libraries) do
    readers[name] = {__index = library}
end

local isolated = {}

-- Each isolated environment gets a table of its own for a library that it uses, so that changes
-- end with it.
function isolated.__index(globals, name)
    local reader = readers[name]
    if not reader then
        return base[name]
    end
    local library = setmetatable({}, reader)
    rawset(globals, name, library)
    return library
end

function isolated.__newindex(globals, name, value)
    if base[name] == nil and not readers[name] then
        refuse_global(name)
    end
    rawset(globals, name, value)
end

-- Returns the global variables of a script, which no other script shares.
local function new_globals(keys, arguments, command, deadline)
    local globals = {KEYS = keys, ARGV = arguments, EVAL_CMD = command, DEADLINE = deadline}
    globals._G = globals
    return setmetatable(globals, isolated)
end

-- Whether a script has changed a library or a global variable of those that scripts share.
local is_changed = false

-- The base functions, and the tables of libraries, that scripts share. `proxies` are those tables:
-- they are empty unless a script has changed them.
local shared, proxies = {}, {}
for name, value in pairs(base) do
    shared[name] = value
end
local function note_change(proxy, name, value)
    is_changed = true
    rawset(proxy, name, value)
end
for name, library in pairs(libraries) do
    local proxy = setmetatable({}, {__index = library, __newindex = note_change})
    proxies[name], shared[name] = proxy, proxy
end

local sharing = {__index = shared}

function sharing.__newindex(globals, name, value)
    if shared[name] == nil then
        refuse_global(name)
    end
    is_changed = true
    rawset(globals, name, value)
end

-- The global variables of each script, kept from run to run.
local kept = setmetatable({}, {__mode = "k"})

-- Removes all changes of libraries and global variables.
local function undo_changes()
    is_changed = false
    kept = setmetatable({}, {__mode = "k"})
    for _, proxy in pairs(proxies) do
        for name in next, proxy do
            proxy[name] = nil
        end
    end
end

-- Runs a script that can't change what is shared unnoticed.
local function run(script, keys, arguments)
    if is_changed then
        undo_changes()
    end
    local globals = kept[script]
    if not globals then
        globals = setmetatable({}, sharing)
        kept[script] = globals
        setfenv(script, globals)
    end
    -- A script may have assigned to these. It reads only those that are given.
    if keys then
        rawset(globals, "KEYS", keys)
    end
    if arguments then
        rawset(globals, "ARGV", arguments)
    end
    local result = script()
    return result
end

local function run_isolated(script, keys, arguments, command, deadline)
    setfenv(script, new_globals(keys or {}, arguments or {}, command, deadline))
    local result = script()
    return result
end

-- Adds the fields that follow to a table, names and values in turn.
local function add_fields(fields, name, value, ...)
    if name == nil then
        return
    end
    fields[name] = value
    return add_fields(fields, ...)
end

-- Returns a table of the fields that follow, names and values in turn.
local function new_fields(name1, value1, name2, value2, name3, ...)
    if name1 == nil then
        return {}
    elseif name2 == nil then
        return {[name1] = value1}
    end
    local fields = {[name1] = value1, [name2] = value2}
    if name3 ~= nil then
        add_fields(fields, name3, ...)
    end
    return fields
end

-- Returns a function that tests an object. The values that the script doesn't read are nil. Few
-- fields follow as names and values, many are a table.
local function prepare(script, arguments, reads_fields)
    local globals = new_globals(nil, arguments)
    setfenv(script, globals)
    return function(id, properties, fields, ...)
        if id ~= nil then
            rawset(globals, "ID", id)
        end
        if properties ~= nil then
            rawset(globals, "PROPERTIES", properties)
        end
        if reads_fields then
            rawset(globals, "FIELDS", fields or new_fields(...))
        end
        local result = script()
        return result
    end
end

return run, run_isolated, prepare
